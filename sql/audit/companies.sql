-- One row per account row that was read: id, number and name, null where the source has none.
-- in: accounts_read, companies_without_rows (all columns as text)    unique by: nothing
SELECT CAST(guid_of(accountid) AS VARCHAR) AS accountid, accountnumber, name
FROM (FROM companies_without_rows UNION ALL BY NAME FROM accounts_read)
