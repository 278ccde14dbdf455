-- One row per filled value of a column that cannot be read.
-- in: the table as it is read    names: rows, column, raw (the same, as it was written)
-- unique by: source_row
SELECT source_row, {{raw}} AS written
FROM {{rows}}
WHERE {{column}} IS NULL AND trimmed({{raw}}) IS NOT NULL
