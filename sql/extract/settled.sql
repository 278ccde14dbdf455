-- One row per change that holds: those of rows that were not deleted, and rows read once more.
-- in: changes, deletions (id), again    names: key, columns    unique by: nothing
SELECT {{columns}}
FROM changes
WHERE {{key}} NOT IN (SELECT id FROM deletions)
UNION ALL
SELECT {{columns}}
FROM again
