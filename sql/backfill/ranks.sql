-- One row per contact that gets a number: its place among them.
-- in: candidates    params: $last_row    unique by: source_row
SELECT source_row, row_number() OVER (ORDER BY createdon NULLS LAST, contactid) - 1 AS rank
FROM candidates
WHERE number IS NULL AND state = 'current' AND selected AND source_row <= $last_row
    AND contactid IS NOT NULL
ORDER BY source_row
