-- One row per currency.
-- in: transactioncurrencies, currency_rows_left_out    unique by: transactioncurrencyid
SELECT t.transactioncurrencyid, trimmed(t.isocurrencycode) AS isocurrencycode
FROM transactioncurrencies AS t
ANTI JOIN currency_rows_left_out AS l ON l.source_row = t.source_row
WHERE t.transactioncurrencyid IS NOT NULL AND t.isdelete IS NOT TRUE
