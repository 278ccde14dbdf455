-- One row per chosen row of a table that says that something is deleted, and not what.
-- in: the table's rows, chosen_rows (source_row)    names: rows, key    unique by: source_row
WITH these AS MATERIALIZED (
    SELECT t.source_row, t.source_file, t.source_line, t.isdelete, t.{{key}} AS id
    FROM {{rows}} AS t
    SEMI JOIN chosen_rows AS c ON c.source_row = t.source_row
)
SELECT source_row, source_file, source_line
FROM these
WHERE isdelete AND id IS NULL
