-- One row: where the first row of a table stands whose text was damaged before it came.
-- in: the table    names: rows, column    params: $damaged    unique by: source_row
SELECT source_file, source_line
FROM {{rows}}
WHERE regexp_matches({{column}}, $damaged)
ORDER BY source_row
LIMIT 1
