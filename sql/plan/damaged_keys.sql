-- One row: how many keys were damaged before they came; few have a sign that shows it.
-- in: the table    names: rows, column    params: $damaged
SELECT count(*) AS cells
FROM {{rows}}
WHERE (strlen({{column}}) <> length({{column}}) OR regexp_matches({{column}}, '[?&+\\\x1a]'))
    AND regexp_matches({{column}}, $damaged)
