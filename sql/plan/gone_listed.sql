-- One row per key of a task that no contact has any more, in order: whose it was, and why.
-- in: gone (legal_entity, destination_key, run), decisions (contactid, contact_number),
--     earlier_rows (contactid, destination_key, filename of the run that loaded them),
--     contacts, marks
-- params: $task, $all_read (whether every contact row could be read)
-- unique by: destination_key
-- The id is not known where the rows of that run were purged.
WITH earlier AS (
    SELECT
        entity_folded(e.destination_key) AS destination_key,
        e.contactid,
        run_of_file(e.filename) AS run
    FROM earlier_rows AS e
    SEMI JOIN gone AS g ON g.destination_key = entity_folded(e.destination_key)
),
named AS (
    SELECT g.legal_entity, g.destination_key, g.run, e.contactid
    FROM gone AS g
    LEFT JOIN earlier AS e ON e.destination_key = g.destination_key AND e.run = g.run
),
there AS (
    SELECT DISTINCT d.contactid FROM decisions AS d
    SEMI JOIN named AS n ON n.contactid = d.contactid
),
deleted AS (
    SELECT DISTINCT CAST(c.contactid AS VARCHAR) AS contactid
    FROM contacts AS c
    LEFT JOIN marks AS m ON m.source_row = c.source_row
    WHERE coalesce(m.state, CASE WHEN c.isdelete THEN 'deleted' END) = 'deleted'
)
SELECT
    $task AS task,
    n.legal_entity,
    n.destination_key,
    n.contactid,
    CASE
        WHEN t.contactid IS NOT NULL THEN 'number changed'
        WHEN d.contactid IS NOT NULL THEN 'deleted'
        WHEN $all_read THEN 'not in the source'
        ELSE 'not found, but rows of contacts could not be read'
    END AS contact,
    n.run AS loaded_by
FROM named AS n
LEFT JOIN there AS t ON t.contactid = n.contactid
LEFT JOIN deleted AS d ON d.contactid = n.contactid
ORDER BY n.legal_entity, n.destination_key
