-- One row per contact that gets a number, if the limit lets it through.
-- in: candidates    unique by: source_row
SELECT source_row, createdon, contactid
FROM candidates
WHERE number IS NULL AND state = 'current' AND selected AND contactid IS NOT NULL
