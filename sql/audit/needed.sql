-- One row per contact that a person must look at: held, rejected, or failed on its way into SCM.
-- in: decisions, outcomes    unique by: source_file, source_line
WITH gone_wrong AS (
    SELECT DISTINCT contactid, outcome, code, message FROM outcomes WHERE outcome = 'failed'
)
SELECT
    d.contactid,
    d.contact_number,
    d.decision,
    d.reason,
    d.source_file,
    d.source_line,
    guid_of(d.contactid) IS NOT NULL AS has_id,
    w.outcome,
    w.code AS outcome_code,
    w.message AS outcome_message
FROM decisions AS d
LEFT JOIN gone_wrong AS w ON w.contactid = d.contactid AND d.decision IN ('customer', 'contact')
WHERE d.decision IN ('held', 'rejected') OR w.outcome IS NOT NULL
