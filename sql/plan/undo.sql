-- One row per planned row of a task, in the order of the run: what taking it back would mean.
-- in: outcomes, before (destination_key), by_odata (task, legal_entity, batch)    params: $task
-- unique by: destination_key
SELECT
    o.contactid,
    o.task,
    split_part(o.destination_key, '/', 1) AS legal_entity,
    o.destination_key,
    o.batch,
    o.outcome AS done,
    CASE
        WHEN o.outcome = 'created' AND d.batch IS NOT NULL THEN 'delete'
        WHEN o.outcome = 'created' THEN 'by_hand'
        WHEN o.outcome = 'updated' AND b.destination_key IS NOT NULL THEN 'restore'
        WHEN o.outcome = 'updated' THEN 'lost'
        WHEN o.outcome IN ('written', 'unknown') THEN 'unknown'
        ELSE 'none'
    END AS action,
    CAST(NULL AS VARCHAR) AS outcome
FROM outcomes AS o
LEFT JOIN (SELECT DISTINCT destination_key FROM before) AS b
    ON b.destination_key = o.destination_key
LEFT JOIN by_odata AS d
    ON d.batch = o.batch AND d.task = o.task
        AND d.legal_entity = split_part(o.destination_key, '/', 1)
WHERE o.task = $task
