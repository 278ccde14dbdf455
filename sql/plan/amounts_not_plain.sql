-- One row: how many values of a column of amounts are more than plain ones.
-- in: the table    names: rows, column    params: $plain
SELECT count(*) AS n
FROM {{rows}}
WHERE NOT regexp_full_match({{column}}, $plain) AND trimmed({{column}}) IS NOT NULL
