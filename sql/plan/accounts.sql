-- One row per account: its number, and where SCM knows it. Rows without an id that can be read come
-- along, and go later: a condition on the id would read every id twice.
-- in: accounts_declared, account_rows_left_out, known_customers
-- unique by: accountid, but for null
WITH these AS (
    SELECT
        a.accountid,
        trimmed(a.accountnumber) AS number,
        key_of(a.accountnumber) AS number_key
    FROM accounts_declared AS a
    ANTI JOIN account_rows_left_out AS l ON l.source_row = a.source_row
    WHERE a.isdelete IS NOT TRUE
),
known AS (
    SELECT
        account_key,
        list(DISTINCT legal_entity_key) AS customer_of
    FROM known_customers
    WHERE account_key IS NOT NULL
    GROUP BY account_key
),
parties AS (
    SELECT DISTINCT party_key FROM known_customers WHERE party_key IS NOT NULL
)
SELECT
    a.accountid,
    a.number,
    a.number_key,
    p.party_key IS NOT NULL AS is_party,
    k.customer_of
FROM these AS a
LEFT JOIN parties AS p ON p.party_key = a.number_key
LEFT JOIN known AS k ON k.account_key = a.number_key
