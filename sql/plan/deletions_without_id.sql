-- One row per chosen row of a table that says that something is deleted, and not what.
-- in: the table's rows, chosen_rows (source_row)    names: rows    unique by: source_row
SELECT source_file, source_line
FROM {{rows}}
SEMI JOIN chosen_rows USING (source_row)
ORDER BY source_row
