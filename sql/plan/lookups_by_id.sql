-- One row per contact row whose lookups are ids, as most exports have them.
-- in: contacts    unique by: source_row
SELECT
    *,
    false AS company_is_name,
    CAST(NULL AS VARCHAR) AS company_problem,
    CAST(NULL AS VARCHAR) AS currency_by_name
FROM contacts
