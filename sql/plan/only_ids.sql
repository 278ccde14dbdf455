-- One row per contact that was asked for.
-- in: only_given (contactid)    unique by: contactid
SELECT DISTINCT CAST(contactid AS UUID) AS contactid
FROM only_given
WHERE contactid IS NOT NULL
