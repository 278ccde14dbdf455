-- One row per row of a side table that contacts of a stretch name: all that route.sql finds of it.
-- in: the side table, named (named.sql)    names: side, key, name
-- unique by: what the side table is unique by
SELECT s.*
FROM {{side}} AS s
SEMI JOIN named AS n ON n.{{name}} = s.{{key}}
