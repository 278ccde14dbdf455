-- One row: how many rows a relation has.
-- in: the relation    names: rows
SELECT count(*) AS n
FROM {{rows}}
