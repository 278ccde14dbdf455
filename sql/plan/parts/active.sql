-- One row per contact that a quote, an order or an invoice names.
-- in: activity    unique by: contactid
SELECT DISTINCT contactid
FROM activity
WHERE contactid IS NOT NULL
