-- One row per account: hashes under which equal ids and equal numbers meet (see hashes.sql).
-- in: accounts    unique by: accountid
SELECT hash(accountid) AS id, number_hash(number) AS number
FROM accounts
