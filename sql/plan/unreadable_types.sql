-- One row: how many filled types of a lookup are no words that are known, and the first row that
-- has one.
-- in: the table as it is read    names: rows, column
SELECT count(*) AS n, min(source_row) AS first
FROM {{rows}}
WHERE lookup_type_of({{column}}) IS NULL AND trimmed({{column}}) IS NOT NULL
