-- One row per contact row whose number another contact or an account has, too.
-- in: suspects (rows of contacts), contact_states, accounts    unique by: source_row
-- Counted over all contacts read, in all legal entities: a party number is global.
WITH numbered AS (
    SELECT
        c.source_row,
        key_of(c.msdynce_contactnumber) AS number_key,
        coalesce(CAST(c.contactid AS VARCHAR), c.source_file || ' line ' || c.source_line) AS owner
    FROM suspects AS c
    ANTI JOIN (
        SELECT source_row FROM contact_states WHERE state IN ('superseded', 'deleted')
    ) AS gone
        ON gone.source_row = c.source_row
    WHERE c.isdelete IS NOT TRUE AND key_of(c.msdynce_contactnumber) IS NOT NULL
),
shared AS (
    SELECT
        number_key,
        count(DISTINCT owner) AS owners,
        list(DISTINCT owner ORDER BY owner)[1:6] AS some_owners
    FROM numbered
    GROUP BY number_key
),
of_accounts AS (
    SELECT DISTINCT a.number_key
    FROM accounts AS a
    SEMI JOIN shared AS s ON s.number_key = a.number_key
)
SELECT
    n.source_row,
    s.owners,
    list_filter(s.some_owners, lambda one: one <> n.owner)[1:5] AS others,
    a.number_key IS NOT NULL AS is_account_number
FROM numbered AS n
JOIN shared AS s ON s.number_key = n.number_key
LEFT JOIN of_accounts AS a ON a.number_key = n.number_key
WHERE s.owners > 1 OR a.number_key IS NOT NULL
