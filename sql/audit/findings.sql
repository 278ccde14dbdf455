-- One row per finding, in the order of the run, and behind them one per planned row that was
-- refused or whose outcome is unknown: the contact it belongs to, the place of its row, what to do.
-- in: findings, decisions, outcomes, codes (code, severity, sentence, advice)
-- params: $codes, $every_code, $with_messages (what the system said of a row can hold values)
WITH chosen AS (
    SELECT * FROM findings WHERE $every_code OR list_contains($codes, code)
),
refused AS (
    SELECT contactid, task, outcome, code, message
    FROM outcomes
    WHERE outcome IN ('failed', 'unknown') AND ($every_code OR list_contains($codes, code))
),
decided AS (
    SELECT
        d.contactid, d.source_file, d.source_line, d.contact_number, d.decision, d.reason,
        d.legal_entity
    FROM decisions AS d
    SEMI JOIN chosen AS f
        ON f.source_line = d.source_line AND f.source_file = d.source_file
            AND f.contactid = d.contactid
),
sent AS (
    SELECT
        d.contactid, d.source_file, d.source_line, d.contact_number, d.decision, d.reason,
        d.legal_entity
    FROM decisions AS d
    SEMI JOIN refused AS r ON r.contactid = d.contactid
    WHERE d.decision IN ('customer', 'contact')
)
SELECT
    f.contactid,
    d.contact_number,
    d.decision,
    d.reason,
    f.task,
    d.legal_entity,
    f.severity,
    NULL::VARCHAR AS outcome,
    f.code,
    f."column",
    f.destination,
    f.message,
    c.advice AS what_to_do,
    f.value,
    f.source_file,
    f.source_line
FROM chosen AS f
LEFT JOIN decided AS d
    ON d.source_line = f.source_line AND d.source_file = f.source_file AND d.contactid = f.contactid
LEFT JOIN codes AS c ON c.code = f.code
UNION ALL
SELECT
    r.contactid,
    s.contact_number,
    s.decision,
    s.reason,
    r.task,
    s.legal_entity,
    coalesce(c.severity, 'error') AS severity,
    r.outcome,
    r.code,
    NULL::VARCHAR AS "column",
    NULL::VARCHAR AS destination,
    CASE WHEN $with_messages THEN coalesce(r.message, c.sentence) ELSE c.sentence END AS message,
    c.advice AS what_to_do,
    NULL::VARCHAR AS value,
    s.source_file,
    s.source_line
FROM refused AS r
LEFT JOIN sent AS s ON s.contactid = r.contactid
LEFT JOIN codes AS c ON c.code = r.code
