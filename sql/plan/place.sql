-- One row: where a row of a table stands.
-- in: the table    names: rows    params: $row    unique by: source_row
SELECT source_file, source_line
FROM {{rows}}
WHERE source_row = $row
