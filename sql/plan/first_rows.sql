-- The first rows of a table.
-- in: the table    names: rows    params: $few    unique by: what the table is unique by
SELECT *
FROM {{rows}}
LIMIT $few
