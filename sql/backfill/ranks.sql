-- One row per contact that gets a number: its place among them.
-- in: wanted    params: $last_row    unique by: source_row
SELECT source_row, row_number() OVER (ORDER BY createdon NULLS LAST, contactid) - 1 AS rank
FROM wanted
WHERE source_row <= $last_row
