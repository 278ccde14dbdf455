-- One row: how many cells of a column have neither the shape that nearly all have nor another one
-- of such values.
-- in: the table    names: rows, column    params: $shape (a pattern of LIKE), $others
SELECT count(*) AS cells
FROM {{rows}}
WHERE NOT {{column}} LIKE $shape AND NOT regexp_matches({{column}}, $others)
    AND trimmed({{column}}) IS NOT NULL
