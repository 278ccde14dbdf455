-- One row per key that was loaded: the newer row of a key counts, and a key without hash goes.
-- Legal entities are in lower case there: SCM takes them in any case.
-- in: loaded (the memory as it is), rows_loaded    unique by: destination_key
SELECT
    lower(l.legal_entity) AS legal_entity,
    entity_folded(l.destination_key) AS destination_key,
    l.row_hash,
    l.run,
    l.batch
FROM loaded AS l
ANTI JOIN rows_loaded AS n
    ON entity_folded(n.destination_key) = entity_folded(l.destination_key)
UNION ALL
SELECT
    lower(legal_entity) AS legal_entity,
    entity_folded(destination_key) AS destination_key,
    row_hash,
    run,
    batch
FROM rows_loaded
WHERE row_hash IS NOT NULL
