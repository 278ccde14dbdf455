-- One row: how many rows of a table have a text that was damaged before it came, and where the
-- first one stands.
-- in: the table    names: rows, column    params: $damaged
SELECT
    count(*) AS cells,
    arg_min(source_file, source_row) AS source_file,
    arg_min(source_line, source_row) AS source_line
FROM {{rows}}
WHERE regexp_matches({{column}}, $damaged)
