-- One row per contact number that several contacts have, or that an account has.
-- in: contacts, contact_states, accounts, repeated_numbers (hashes that occur more than once)    unique by: number_key
-- Counted over all contacts read, in all legal entities: a party number is global.
WITH numbered AS (
    SELECT
        key_of(c.msdynce_contactnumber) AS number_key,
        coalesce(CAST(c.contactid AS VARCHAR), c.source_file || ' line ' || c.source_line) AS owner
    FROM contacts AS c
    ANTI JOIN (SELECT source_file, source_line FROM contact_states WHERE state IN ('superseded', 'deleted')) AS gone
        ON gone.source_file = c.source_file AND gone.source_line = c.source_line
    WHERE hash(key_of(c.msdynce_contactnumber)) IN (SELECT value FROM repeated_numbers)
      AND c.isdelete IS NOT TRUE
),
shared AS (
    SELECT number_key, count(DISTINCT owner) AS owners, list(DISTINCT owner ORDER BY owner)[1:6] AS some_owners
    FROM numbered
    GROUP BY number_key
    HAVING count(DISTINCT owner) > 1
),
of_accounts AS (
    SELECT DISTINCT key_of(c.msdynce_contactnumber) AS number_key
    FROM contacts AS c
    SEMI JOIN accounts AS a ON a.number_key = key_of(c.msdynce_contactnumber)
)
SELECT
    coalesce(s.number_key, a.number_key) AS number_key,
    coalesce(s.owners, 1) AS owners,
    s.some_owners,
    a.number_key IS NOT NULL AS is_account_number
FROM shared AS s
FULL JOIN of_accounts AS a ON a.number_key = s.number_key
