-- One row per planned row of a task, in the order of the plan: its outcome after a manual import.
-- in: planned, outcomes, imported (legal_entity, batch), failed (destination_key, code, message),
--         loaded
-- params: $task, $run    unique by: destination_key
SELECT
    p.contactid,
    $task AS task,
    p.destination_key,
    p.batch,
    CASE
        WHEN o.outcome <> 'written' OR i.batch IS NULL THEN o.outcome
        WHEN f.destination_key IS NOT NULL THEN 'failed'
        WHEN p.action = 'create' THEN 'created'
        WHEN p.action = 'update' OR l.destination_key IS NOT NULL THEN 'updated'
        ELSE 'created'
    END AS outcome,
    CASE WHEN o.outcome = 'written' AND i.batch IS NOT NULL THEN f.code ELSE o.code END AS code,
    CASE WHEN o.outcome = 'written' AND i.batch IS NOT NULL THEN f.message ELSE o.message END
        AS message,
    p.legal_entity,
    p.row_hash
FROM planned AS p
LEFT JOIN outcomes AS o ON o.destination_key = p.destination_key AND o.task = $task
LEFT JOIN imported AS i ON i.legal_entity = p.legal_entity AND i.batch = p.batch
LEFT JOIN failed AS f ON f.destination_key = p.destination_key
LEFT JOIN (
    SELECT DISTINCT entity_folded(destination_key) AS destination_key FROM loaded WHERE run <> $run
) AS l ON l.destination_key = entity_folded(p.destination_key)
