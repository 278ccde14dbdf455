-- One row per contact of the run: what was decided, and what went wrong with it afterwards.
-- in: decision_rows (with file_row_number), unsettled    unique by: place
SELECT
    d.file_row_number AS place,
    d.contactid,
    d.contact_number,
    d.decision,
    d.reason,
    d.legal_entity,
    d.company_id,
    d.company_key,
    d.source_file,
    d.source_line,
    u.outcome,
    u.code AS outcome_code
FROM decision_rows AS d
LEFT JOIN unsettled AS u ON u.contactid = d.contactid
