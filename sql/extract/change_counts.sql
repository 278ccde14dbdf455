-- One row: how many rows are new, changed and deleted since the earlier run.
-- in: known (the table of the earlier run), latest, deletions (id)    names: key
WITH new AS (SELECT * FROM latest),
gone AS (SELECT DISTINCT id FROM deletions)
SELECT
    (SELECT count(*) FROM new WHERE {{key}} NOT IN (SELECT {{key}} FROM known)) AS added,
    (SELECT count(*) FROM new WHERE {{key}} IN (SELECT {{key}} FROM known)) AS changed,
    (
        SELECT count(*)
        FROM known
        WHERE isdelete IS NULL
          AND {{key}} IN (SELECT id FROM gone)
          AND {{key}} NOT IN (SELECT {{key}} FROM new)
    ) AS deleted
