-- One row per contact row: a company that is written as a name has the id of its account, where
-- that is certain.
-- in: contacts, company_names    unique by: source_row
-- company_problem: why a name gives no account: unknown, ambiguous.
SELECT
    c.* REPLACE (coalesce(c.parentcustomerid, n.accountid) AS parentcustomerid),
    n.source_row IS NOT NULL AS company_is_name,
    n.problems[1] AS company_problem,
    CAST(NULL AS VARCHAR) AS currency_by_name
FROM contacts AS c
LEFT JOIN company_names AS n ON n.source_row = c.source_row
