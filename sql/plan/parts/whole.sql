-- One row per row of a relation, with all of its columns.
-- in: the relation    names: rows    unique by: what the relation is unique by
SELECT * FROM {{rows}}
