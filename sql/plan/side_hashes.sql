-- One row per row of a side table: a hash under which equal ids meet, and whether it is a deletion
-- that does not say of what.
-- in: the table    names: rows, key    unique by: source_row
SELECT
    source_row,
    CASE WHEN {{key}} IS NOT NULL THEN hash({{key}}) END AS id,
    {{key}} IS NULL AND isdelete AS deletion_without_id
FROM {{rows}}
