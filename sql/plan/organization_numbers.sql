-- One row per party number of an organization in SCM: no person can have it.
-- in: known_customers (a row without account_key is a party that is an organization)
-- unique by: number_key
SELECT DISTINCT party_key AS number_key
FROM known_customers
WHERE account_key IS NULL AND party_key IS NOT NULL
