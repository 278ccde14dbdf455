-- One row per row of a relation, which gets another name.
-- in: the relation    names: of
FROM {{of}}
