-- One row per row of a table: unchanged, marked as deleted, or as it is now.
-- in: known (the table of the earlier run), latest, deletions (id)    names: key, columns
-- unique by: the key
WITH new AS MATERIALIZED (SELECT * FROM latest),
gone AS MATERIALIZED (SELECT DISTINCT id FROM deletions)
SELECT {{columns}}, isdelete
FROM known
WHERE {{key}} NOT IN (SELECT {{key}} FROM new) AND {{key}} NOT IN (SELECT id FROM gone)
UNION ALL
SELECT {{columns}}, 'true'
FROM known
WHERE {{key}} NOT IN (SELECT {{key}} FROM new) AND {{key}} IN (SELECT id FROM gone)
UNION ALL
SELECT {{columns}}, NULL
FROM new
