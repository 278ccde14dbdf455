-- One row per row of $ids that is there.
-- in: a table of what is there    names: there, key    params: $ids    unique by: the key
SELECT *
FROM {{there}}
WHERE {{key}} IN (FROM unnest($ids))
