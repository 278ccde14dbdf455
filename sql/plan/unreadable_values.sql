-- One row: how many filled values of a column cannot be read, and the first row that has one.
-- in: the table as it is read    names: rows, column, raw (the same, as it was written)
SELECT count(*) AS n, min(source_row) AS first
FROM {{rows}}
WHERE {{column}} IS NULL AND trimmed({{raw}}) IS NOT NULL
