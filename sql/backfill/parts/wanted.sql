-- One row per contact of a part that gets a number, if the limit lets it through.
-- in: candidates (of the part)    unique by: source_row
SELECT source_row, createdon, contactid
FROM candidates
WHERE number IS NULL AND state = 'current' AND selected AND contactid IS NOT NULL
