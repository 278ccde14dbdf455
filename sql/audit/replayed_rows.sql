-- One row per planned row: what is compared of it.
-- in: the planned rows of a run    names: rows, columns    unique by: contactid
SELECT {{columns}}
FROM {{rows}}
