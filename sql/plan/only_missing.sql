-- One row per contact that was asked for and that the source does not have, in the order of the
-- list: its id or number, and the first line that names it.
-- in: only_given (contactid, number, line), contacts    unique by: named
WITH there AS (
    SELECT contactid FROM contacts WHERE isdelete IS NOT TRUE
)
SELECT coalesce(o.number, o.contactid) AS named, min(o.line) AS line
FROM only_given AS o
ANTI JOIN there AS c ON c.contactid = CAST(o.contactid AS UUID)
GROUP BY named
ORDER BY line, named
