-- One row per run that loaded keys which a task's planned rows update: how many of them. The run is
-- null for records that p2c did not load.
-- in: planned, memory (destination_key, run)    unique by: run
SELECT m.run, count(*) AS updates
FROM planned AS p
LEFT JOIN memory AS m ON entity_folded(m.destination_key) = entity_folded(p.destination_key)
WHERE p.action = 'update' OR (p.action = 'upsert' AND m.run IS NOT NULL)
GROUP BY m.run
ORDER BY m.run
