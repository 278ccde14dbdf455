-- One row per contact row: a currency that is written as a name, a symbol or a code has its code.
-- in: contacts whose companies are resolved, currency_names    names: contacts
-- unique by: source_row
SELECT
    c.* REPLACE (
        coalesce(
            m.codes[1],
            CASE
                WHEN regexp_full_match(trimmed(c."raw:transactioncurrencyid"), '[A-Z]{3}')
                    THEN trimmed(c."raw:transactioncurrencyid")
            END
        ) AS currency_by_name
    )
FROM {{contacts}} AS c
LEFT JOIN currency_names AS m
    ON m.name = CASE
        WHEN c.transactioncurrencyid IS NULL THEN name_key(c."raw:transactioncurrencyid")
    END
