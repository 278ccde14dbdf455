-- One row per row of a side table that a part names: what route.sql finds of it, and no more.
-- in: the side table, named (named.sql)    names: side, key (of it), name (of a column of named)
-- unique by: what the side table is unique by
SELECT s.*
FROM {{side}} AS s
SEMI JOIN named AS n ON n.{{name}} = s.{{key}}
