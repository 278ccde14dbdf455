-- One row: how many cells of a column are numbers that a spreadsheet wrote short.
-- in: the table    names: rows, column    params: $mark, $pattern
SELECT count(*) AS cells
FROM {{rows}}
WHERE contains({{column}}, $mark) AND regexp_full_match({{column}}, $pattern)
