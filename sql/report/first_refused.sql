-- One row per outcome and code of rows that need a person: the first $count of their contacts.
-- in: outcomes    params: $count    unique by: outcome, code
SELECT outcome, code, min(contactid, $count) AS contacts
FROM outcomes
WHERE outcome IN ('failed', 'unknown') AND contactid IS NOT NULL
GROUP BY outcome, code
