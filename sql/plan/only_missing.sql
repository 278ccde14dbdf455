-- One row per contact that was asked for and that the source does not have, in the order of the
-- list: its id, and the first line that names it.
-- in: only_given (contactid, line), contacts    unique by: contactid
WITH there AS (
    SELECT contactid FROM contacts WHERE isdelete IS NOT TRUE
)
SELECT o.contactid, min(o.line) AS line
FROM only_given AS o
ANTI JOIN there AS c ON c.contactid = CAST(o.contactid AS UUID)
GROUP BY o.contactid
ORDER BY line, o.contactid
