-- One row per contact row: a company that is written as a name has the id of its account, where
-- that is certain.
-- in: contacts, company_names, currency_names    unique by: source_row
-- company_problem: why a name gives no account: unknown, ambiguous. currency_by_name: the code.
SELECT
    c.* REPLACE (coalesce(c.parentcustomerid, n.accountid) AS parentcustomerid),
    n.source_row IS NOT NULL AS company_is_name,
    n.problem AS company_problem,
    coalesce(
        m.code,
        CASE
            WHEN regexp_full_match(trimmed(c."raw:transactioncurrencyid"), '[A-Z]{3}')
                THEN trimmed(c."raw:transactioncurrencyid")
        END
    ) AS currency_by_name
FROM contacts AS c
LEFT JOIN company_names AS n ON n.source_row = c.source_row
LEFT JOIN currency_names AS m
    ON m.name = CASE
        WHEN c.transactioncurrencyid IS NULL THEN name_key(c."raw:transactioncurrencyid")
    END
