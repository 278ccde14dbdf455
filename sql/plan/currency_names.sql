-- One row per code, name or symbol that only one currency has: its code.
-- in: transactioncurrencies, currency_rows_left_out    unique by: name
-- codes: a list of one, as in company_names.sql.
-- A code counts before a name, and a name before a symbol.
WITH these AS (
    SELECT t.*
    FROM transactioncurrencies AS t
    ANTI JOIN currency_rows_left_out AS l ON l.source_row = t.source_row
    WHERE t.isdelete IS NOT TRUE
),
said AS (
    SELECT 1 AS rank, name_key(isocurrencycode) AS name, trimmed(isocurrencycode) AS code FROM these
    UNION ALL
    SELECT 2, name_key(currencyname), trimmed(isocurrencycode) FROM these
    UNION ALL
    SELECT 3, name_key(currencysymbol), trimmed(isocurrencycode) FROM these
),
first AS (
    SELECT * FROM said
    WHERE name IS NOT NULL
    QUALIFY rank = min(rank) OVER (PARTITION BY name)
)
SELECT name, [min(code)] AS codes
FROM first
GROUP BY name
HAVING count(DISTINCT code) = 1 AND min(code) IS NOT NULL
