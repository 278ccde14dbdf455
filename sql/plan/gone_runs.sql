-- One row per run that loaded keys which no contact has any more.
-- in: gone (run)    unique by: run
SELECT DISTINCT run FROM gone ORDER BY run
