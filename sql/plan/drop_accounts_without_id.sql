-- Takes the rows out of accounts that have no id which can be read.
-- in: accounts
DELETE FROM accounts WHERE accountid IS NULL
