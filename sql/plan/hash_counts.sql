-- One row: how many contact rows there are, how many have a company by its id, how many one that is
-- no id, and whether any has a currency that is none.
-- in: hashes (hashes.sql)
SELECT
    count(*) AS n,
    count(company) AS with_company,
    count(*) FILTER (WHERE has_company AND company IS NULL) AS with_name,
    coalesce(bool_or(currency_is_no_id), false) AS has_currency_name
FROM hashes
