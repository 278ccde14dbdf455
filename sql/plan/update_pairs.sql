-- One row per planned row of a task whose record's earlier values are known: both states of it.
-- in: planned (with file_row_number), present (destination_key, columns)    names: new, old
-- unique by: row
WITH planned_rows AS (
    SELECT file_row_number AS "row", contactid, destination_key, {{new}}
    FROM planned
    WHERE action IN ('update', 'upsert')
),
there AS (
    SELECT destination_key, {{old}}
    FROM present
)
SELECT p.*, t.* EXCLUDE (destination_key)
FROM planned_rows AS p
JOIN there AS t ON entity_folded(t.destination_key) = entity_folded(p.destination_key)
