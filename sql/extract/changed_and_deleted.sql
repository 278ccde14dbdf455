-- One row per id that changed and was deleted: the two lists do not say which came last.
-- in: changes, deletions (id)    names: key    unique by: id
SELECT DISTINCT {{key}} AS id
FROM changes
WHERE {{key}} IN (SELECT id FROM deletions)
ORDER BY id
