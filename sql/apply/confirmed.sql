-- One row per planned row of a task, in the order of the plan: its outcome before and after a
-- manual import, and whether what the memory has of it comes from this run.
-- in: planned, outcomes, imported (legal_entity, batch), failed (destination_key, code, message),
--         loaded
-- params: $task, $run    unique by: destination_key
WITH judged AS (
    SELECT
        p.contactid,
        p.destination_key,
        p.batch,
        p.action,
        p.legal_entity,
        p.row_hash,
        o.outcome AS was,
        o.code,
        o.message,
        f.code AS failed_code,
        f.message AS failed_message,
        f.destination_key IS NOT NULL AND i.batch IS NOT NULL
            AND o.outcome IN ('written', 'created', 'updated') AS is_refused,
        o.outcome = 'written' AND i.batch IS NOT NULL AS is_new,
        coalesce(l.of_others, false) AS is_of_others,
        coalesce(l.ours, false) AS is_ours
    FROM planned AS p
    LEFT JOIN outcomes AS o ON o.destination_key = p.destination_key AND o.task = $task
    LEFT JOIN imported AS i ON i.legal_entity = p.legal_entity AND i.batch = p.batch
    LEFT JOIN failed AS f ON f.destination_key = p.destination_key
    LEFT JOIN (
        SELECT
            entity_folded(destination_key) AS destination_key,
            bool_or(run <> $run) AS of_others,
            bool_or(run = $run) AS ours
        FROM loaded
        GROUP BY ALL
    ) AS l ON l.destination_key = entity_folded(p.destination_key)
)
SELECT
    contactid,
    $task AS task,
    destination_key,
    batch,
    CASE
        WHEN is_refused THEN 'failed'
        WHEN NOT is_new THEN was
        WHEN action = 'create' THEN 'created'
        WHEN action = 'update' OR is_of_others THEN 'updated'
        ELSE 'created'
    END AS outcome,
    CASE WHEN is_refused THEN failed_code WHEN NOT is_new THEN code END AS code,
    CASE WHEN is_refused THEN failed_message WHEN NOT is_new THEN message END AS message,
    legal_entity,
    row_hash,
    was,
    is_ours
FROM judged
