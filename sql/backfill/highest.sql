-- The highest number in use with a prefix, 0 without any: of contacts, and of accounts, for a party
-- number is global in SCM.
-- in: contacts, accounts    params: $pattern (the digits are its first group)
SELECT coalesce(max(TRY_CAST(regexp_extract(number, $pattern, 1) AS BIGINT)), 0) AS highest
FROM (
    SELECT key_of(msdynce_contactnumber) AS number FROM contacts
    UNION ALL
    SELECT number_key FROM accounts
) AS numbers
