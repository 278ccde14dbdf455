-- One row: how many cells of a column of numbers, choices or flags do not look like one. What
-- begins like a number and is short is looked at no further.
-- in: the table    names: rows, column
SELECT count(*) AS cells
FROM {{rows}}
WHERE NOT (
        (ord({{column}}) BETWEEN 48 AND 57 AND strlen({{column}}) <= 24)
        OR {{column}} IN ('true', 'false')
    )
    AND trimmed({{column}}) IS NOT NULL
