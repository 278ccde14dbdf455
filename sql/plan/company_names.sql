-- One row per contact row whose company is a name: the account that it is certain to mean, or why
-- there is none.
-- in: contacts, companies_named, accounts_declared, account_rows_left_out    unique by: source_row
-- The account number beside the name decides, where the source has it. A name decides if exactly
-- one account has it and no contact, who could be the company as well; the lookup's type tells
-- accounts and contacts apart. A contact as company needs no id: nothing is made of it.
-- Accounts that nobody names are left out first, before ids are read.
-- problems: a list of one. DuckDB keeps the last few rows of a row group back when it joins them,
-- until the table ends, but no rows that have lists; and contacts are needed in their order.
WITH named AS MATERIALIZED (
    SELECT a.id, a.number_key, a.name
    FROM (
        SELECT
            source_row, "raw:accountid" AS id, isdelete,
            key_of(accountnumber) AS number_key,
            name_key(name) AS name
        FROM accounts_declared
    ) AS a
    ANTI JOIN account_rows_left_out AS l ON l.source_row = a.source_row
    WHERE a.isdelete IS NOT TRUE
        AND (
            a.name IN (SELECT name FROM companies_named WHERE name IS NOT NULL)
            OR a.number_key IN (
                SELECT number_key FROM companies_named WHERE number_key IS NOT NULL
            )
        )
),
these AS (
    SELECT guid_of(id) AS accountid, min(number_key) AS number_key, min(name) AS name
    FROM named
    WHERE guid_of(id) IS NOT NULL
    GROUP BY guid_of(id)
),
by_name AS (
    SELECT name, count(*) AS n, min(accountid) AS accountid
    FROM these
    WHERE name IS NOT NULL
    GROUP BY name
),
by_number AS (
    SELECT number_key, count(*) AS n, min(accountid) AS accountid
    FROM these
    WHERE number_key IS NOT NULL
    GROUP BY number_key
),
by_both AS (
    SELECT number_key, name, count(*) AS n, min(accountid) AS accountid
    FROM these
    WHERE number_key IS NOT NULL AND name IS NOT NULL
    GROUP BY number_key, name
),
found AS (
    SELECT
        n.*,
        CASE
            WHEN n.number_key IS NULL THEN coalesce(a.n, 0)
            WHEN u.n > 1 THEN coalesce(b.n, u.n)
            ELSE coalesce(u.n, 0)
        END AS accounts,
        CASE
            WHEN n.number_key IS NULL THEN a.accountid
            WHEN u.n > 1 THEN b.accountid
            ELSE u.accountid
        END AS accountid
    FROM companies_named AS n
    LEFT JOIN by_name AS a ON a.name = n.name
    LEFT JOIN by_number AS u ON u.number_key = n.number_key
    LEFT JOIN by_both AS b ON b.number_key = n.number_key AND b.name = n.name
),
undecided AS MATERIALIZED (
    SELECT DISTINCT name
    FROM found
    WHERE accounts = 1 AND number_key IS NULL AND type IS NULL
),
people AS (
    SELECT DISTINCT name
    FROM (
        SELECT
            coalesce(
                name_key(fullname),
                name_key(concat_ws(' ', trimmed(firstname), trimmed(lastname)))
            ) AS name
        FROM contacts
        WHERE isdelete IS NOT TRUE
    ) AS names
    SEMI JOIN undecided AS u ON u.name = names.name
)
SELECT
    f.source_row,
    CASE
        WHEN f.type IS DISTINCT FROM 'contact' AND f.accounts = 1 AND p.name IS NULL
            THEN f.accountid
    END AS accountid,
    CASE
        WHEN f.type = 'contact' THEN NULL
        WHEN f.accounts = 0 THEN ['unknown']
        WHEN f.accounts > 1 OR p.name IS NOT NULL THEN ['ambiguous']
    END AS problems
FROM found AS f
LEFT JOIN people AS p
    ON p.name = CASE WHEN f.number_key IS NULL AND f.type IS NULL THEN f.name END
