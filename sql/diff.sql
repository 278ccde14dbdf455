-- One row per kind of difference between two runs' decisions: how many contacts, and one of them.
-- in: before, after (decisions of two runs)    unique by: change, before, after
SELECT
    CASE WHEN b.contactid IS NULL THEN 'new' WHEN a.contactid IS NULL THEN 'gone' ELSE 'changed' END AS change,
    b.decision || '/' || b.reason AS before,
    a.decision || '/' || a.reason AS after,
    count(*) AS contacts,
    min(coalesce(a.contactid, b.contactid)) AS example
FROM before AS b
FULL JOIN after AS a ON a.contactid = b.contactid
WHERE (a.decision, a.reason, a.destination_key) IS DISTINCT FROM (b.decision, b.reason, b.destination_key)
GROUP BY ALL
ORDER BY contacts DESC, change, before, after
