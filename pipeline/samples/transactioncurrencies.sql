-- One row per currency, in the order of people.toml.
-- in: currencies    names: columns    unique by: transactioncurrencyid
WITH made AS (
    SELECT
        id AS transactioncurrencyid,
        currency AS isocurrencycode,
        name AS currencyname,
        symbol AS currencysymbol,
        rate AS exchangerate,
        '0' AS statecode,
        CAST(1000 + row_number() OVER () AS VARCHAR) AS versionnumber
    FROM currencies
    WHERE name IS NOT NULL
)
SELECT {{columns}}
FROM made
