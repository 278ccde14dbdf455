-- One row per kind of difference between two runs: how many contacts, and one of them. Rows of one
-- repeated contactid (and rows without one) are paired in source order; all other contactids are
-- unique.
-- in: before_decisions, before_rows, after_decisions, after_rows
-- A legal entity in another case is no difference.
-- unique by: change, before, after
WITH every AS (
    SELECT 'before' AS side, d.*, r.row_hash
    FROM before_decisions AS d LEFT JOIN before_rows AS r ON r.contactid = d.contactid
    UNION ALL
    SELECT 'after' AS side, d.*, r.row_hash
    FROM after_decisions AS d LEFT JOIN after_rows AS r ON r.contactid = d.contactid
),
numbered AS (
    SELECT side, contactid, decision, reason, destination_key, row_hash, 1 AS nth
    FROM every
    WHERE reason NOT IN ('contactid_invalid', 'contactid_repeated')
    UNION ALL
    SELECT
        side, coalesce(contactid, ''), decision, reason, destination_key, row_hash,
        row_number() OVER (PARTITION BY side, contactid ORDER BY source_file, source_line)
    FROM every
    WHERE reason IN ('contactid_invalid', 'contactid_repeated')
),
placed AS (
    SELECT
        side, contactid, nth, decision || '/' || reason AS place,
        entity_folded(destination_key) AS compared_key, row_hash
    FROM numbered
)
SELECT
    CASE
        WHEN b.contactid IS NULL THEN 'new'
        WHEN a.contactid IS NULL THEN 'gone'
        WHEN a.place <> b.place THEN 'decision'
        WHEN a.compared_key IS DISTINCT FROM b.compared_key THEN 'key'
        ELSE 'content'
    END AS change,
    b.place AS before,
    a.place AS after,
    count(*) AS contacts,
    nullif(min(coalesce(a.contactid, b.contactid)), '') AS example
FROM (SELECT * FROM placed WHERE side = 'before') AS b
FULL JOIN (SELECT * FROM placed WHERE side = 'after') AS a
    ON a.contactid = b.contactid AND a.nth = b.nth
WHERE (a.place, a.compared_key, a.row_hash)
    IS DISTINCT FROM (b.place, b.compared_key, b.row_hash)
GROUP BY ALL
ORDER BY contacts DESC, change, before, after
