-- One row per planned row of an imported batch that an error file names, by contact or by key: the
-- lines that name it.
-- in: planned, imported (legal_entity, batch), refused (line, contactid, legal_entity, key,
--         message)
-- unique by: destination_key
WITH sent AS (
    SELECT
        p.contactid,
        p.destination_key,
        lower(p.legal_entity) AS legal_entity,
        key_of(substr(p.destination_key, length(p.legal_entity) + 2)) AS key
    FROM planned AS p
    SEMI JOIN imported AS i ON i.legal_entity = p.legal_entity AND i.batch = p.batch
),
named AS (
    SELECT s.destination_key, s.legal_entity, r.line, r.message, r.legal_entity AS said
    FROM sent AS s
    JOIN refused AS r ON r.contactid = s.contactid
    UNION ALL
    SELECT s.destination_key, s.legal_entity, r.line, r.message, r.legal_entity
    FROM sent AS s
    JOIN refused AS r ON r.contactid IS NULL AND r.key = s.key
)
SELECT destination_key, list(line) AS lines, arg_min(message, line) AS message
FROM named
WHERE said IS NULL OR said = legal_entity
GROUP BY destination_key
