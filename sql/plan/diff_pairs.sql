-- One row per contact that two runs planned in one task with different values: both rows.
-- in: before_planned, after_planned (contactid, destination_key, row_hash, columns)
-- names: new, old
-- unique by: contactid
WITH later AS (
    SELECT contactid, destination_key, row_hash AS later_hash, {{new}} FROM after_planned
),
earlier AS (
    SELECT contactid, row_hash AS earlier_hash, {{old}} FROM before_planned
)
SELECT 0 AS "row", l.* EXCLUDE (later_hash), e.* EXCLUDE (contactid, earlier_hash)
FROM later AS l
JOIN earlier AS e ON e.contactid = l.contactid
WHERE l.later_hash <> e.earlier_hash
