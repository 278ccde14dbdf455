-- One row per number that several accounts have: how many.
-- in: accounts    unique by: number_key
SELECT number_key, count(*) AS n
FROM accounts
WHERE number_key IS NOT NULL
GROUP BY number_key
HAVING count(*) > 1
ORDER BY number_key
