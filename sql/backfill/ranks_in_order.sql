-- One row per contact that gets a number, in source order.
-- in: ranks    unique by: source_row
SELECT *
FROM ranks
ORDER BY source_row
