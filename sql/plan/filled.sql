-- One row: how many cells of a column are filled.
-- in: the table    names: rows, column
SELECT count(*) AS cells
FROM {{rows}}
WHERE trimmed({{column}}) IS NOT NULL
