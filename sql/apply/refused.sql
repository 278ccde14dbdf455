-- One row per planned row that was sent and that a line of an error file names, by contact or by
-- key, and per line that names it.
-- in: planned, imported (legal_entity, batch), refused (number, contactid, legal_entity, key,
--         message)
-- params: $task    unique by: destination_key, number
WITH sent AS (
    SELECT
        p.contactid,
        p.destination_key,
        lower(p.legal_entity) AS legal_entity,
        key_of(substr(p.destination_key, length(p.legal_entity) + 2)) AS key,
        i.batch IS NOT NULL AS is_imported
    FROM planned AS p
    LEFT JOIN imported AS i ON i.legal_entity = p.legal_entity AND i.batch = p.batch
    WHERE p.batch IS NOT NULL
),
named AS (
    SELECT
        s.destination_key, s.legal_entity, s.is_imported, r.number, r.message,
        r.legal_entity AS said
    FROM sent AS s
    JOIN refused AS r ON r.contactid = s.contactid
    UNION ALL
    SELECT
        s.destination_key, s.legal_entity, s.is_imported, r.number, r.message, r.legal_entity
    FROM sent AS s
    JOIN refused AS r ON r.contactid IS NULL AND r.key = s.key
)
SELECT $task AS task, destination_key, is_imported, number, message
FROM named
WHERE said IS NULL OR said = legal_entity
