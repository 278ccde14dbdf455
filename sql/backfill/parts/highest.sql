-- The highest number of an account with a prefix, 0 without any.
-- in: accounts    params: $pattern (the digits are its first group)
SELECT coalesce(max(TRY_CAST(regexp_extract(number_key, $pattern, 1) AS BIGINT)), 0) AS highest
FROM accounts
