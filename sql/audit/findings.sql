-- One row per finding, in the order of the run: the contact it belongs to, the place of its row,
-- what to do.
-- in: findings, decisions, codes (code, advice)    params: $codes, $every_code
WITH chosen AS (
    SELECT * FROM findings WHERE $every_code OR list_contains($codes, code)
),
decided AS (
    SELECT
        d.contactid, d.source_file, d.source_line, d.contact_number, d.decision, d.reason,
        d.legal_entity
    FROM decisions AS d
    SEMI JOIN chosen AS f
        ON f.source_line = d.source_line AND f.source_file = d.source_file
            AND f.contactid = d.contactid
)
SELECT
    f.contactid,
    d.contact_number,
    d.decision,
    d.reason,
    f.task,
    d.legal_entity,
    f.severity,
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
