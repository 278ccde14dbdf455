-- One row per row of a side table that contacts of a part may be joined with, and no more.
-- in: the side table, named (named.sql)
-- names: side, key (its column), name (the column of named)
-- unique by: what the side table is unique by
SELECT s.*
FROM {{side}} AS s
SEMI JOIN named AS n ON n.{{name}} = s.{{key}}
