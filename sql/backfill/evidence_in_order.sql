-- One row per contact row that has documents, in source order.
-- in: evidence    unique by: source_row
SELECT *
FROM evidence
WHERE source_row IS NOT NULL
ORDER BY source_row
