-- One row per currency, and one for contacts without any.
-- in: given_currencies (block.currencies())    params: $seed    unique by: currency
SELECT *, sample_guid($seed, 'currency', 0, currency) AS id
FROM given_currencies
