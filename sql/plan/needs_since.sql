-- One row per way in which contacts began or ceased to be held or rejected between two runs: how
-- many, and the id and number of one. Rows of one repeated contactid count once.
-- in: before_decisions, after_decisions
-- unique by: change, reason
WITH before AS (
    SELECT
        contactid,
        min(contact_number) AS contact_number,
        min(decision || '/' || reason) AS reason
    FROM before_decisions
    WHERE decision IN ('held', 'rejected') AND contactid IS NOT NULL
    GROUP BY contactid
),
after AS (
    SELECT
        contactid,
        min(contact_number) AS contact_number,
        min(decision || '/' || reason) AS reason
    FROM after_decisions
    WHERE decision IN ('held', 'rejected') AND contactid IS NOT NULL
    GROUP BY contactid
),
changed AS (
    SELECT 'new' AS change, a.*
    FROM after AS a LEFT JOIN before AS b ON b.contactid = a.contactid
    WHERE b.reason IS DISTINCT FROM a.reason
    UNION ALL
    SELECT 'over' AS change, b.*
    FROM before AS b LEFT JOIN after AS a ON a.contactid = b.contactid
    WHERE a.contactid IS NULL
)
SELECT
    change,
    reason,
    count(*) AS contacts,
    min(contactid) AS contactid,
    min_by(contact_number, contactid) AS contact_number
FROM changed
GROUP BY change, reason
ORDER BY change, contacts DESC, reason
