-- One row: how many cells of a column are numbers that a spreadsheet wrote short.
-- in: the table    names: rows, column    params: $pattern
SELECT count(*) AS cells
FROM {{rows}}
WHERE regexp_full_match({{column}}, $pattern)
