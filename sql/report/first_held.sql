-- One row per reason to hold or reject: the first $count of its contacts, in order of their ids.
-- in: decisions    params: $count    unique by: code
SELECT reason AS code, min(contactid, $count) AS contacts
FROM decisions
WHERE decision IN ('held', 'rejected') AND contactid IS NOT NULL
GROUP BY reason
