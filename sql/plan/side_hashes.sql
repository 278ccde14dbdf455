-- One row per row of a side table: a hash under which equal ids meet.
-- in: the table    names: rows, key    unique by: source_row
SELECT source_row, CASE WHEN {{key}} IS NOT NULL THEN hash({{key}}) END AS id
FROM {{rows}}
