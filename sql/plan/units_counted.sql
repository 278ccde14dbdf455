-- One row per business unit as contacts spell it, null for none: its contact rows.
-- in: contacts    unique by: unit
SELECT trimmed(owningbusinessunit) AS unit, count(*) AS contacts
FROM contacts
WHERE isdelete IS NOT TRUE
GROUP BY unit
