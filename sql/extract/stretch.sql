-- One row per row of a stretch of a table.
-- in: the table    names: rows    params: $first, $end (source_row)    unique by: source_row
-- DuckDB reads no row group that has none of them.
SELECT * FROM {{rows}} WHERE source_row >= $first AND source_row < $end
