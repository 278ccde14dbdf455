-- One row per contact row, in any order (joins keep none): what a backfill needs to know of it
-- besides its rank and its documents.
-- in: candidates, accounts, companies
-- params: $last_row, $number_pattern
-- unique by: source_row
WITH prepared AS (
    SELECT
        c.*,
        c.parentcustomerid IS NOT NULL OR c.company_is_name AS has_company,
        lookup_type_of(c.parentcustomeridtype) AS said_type,
        contactid IS NOT NULL AND state = 'current' AND selected AND c.source_row <= $last_row
            AS wanted
    FROM candidates AS c
),
typed AS (
    SELECT
        t.*,
        coalesce(
            t.said_type,
            CASE
                WHEN a.accountid IS NOT NULL THEN 'account'
                WHEN k.contactid IS NOT NULL THEN 'contact'
            END
        ) AS company_type
    FROM prepared AS t
    LEFT JOIN accounts AS a
        ON a.accountid = CASE WHEN t.said_type IS NULL THEN t.parentcustomerid END
    LEFT JOIN companies AS k
        ON k.contactid = CASE WHEN t.said_type IS NULL THEN t.parentcustomerid END
)
SELECT
    source_row, source_file, source_line, state, wanted, number,
    CASE WHEN contactid IS NOT NULL THEN id END AS contactid,
    CASE WHEN contactid IS NULL THEN trimmed("raw:contactid") END AS written_id,
    msdynce_isactivecustomer AS active,
    msdynce_isactivecustomer IS NULL AND trimmed("raw:msdynce_isactivecustomer") IS NOT NULL
        AS active_unreadable,
    msdynce_iscompanyanaccount AS company_flag,
    CASE
        WHEN NOT has_company OR company_type IS NOT NULL
            THEN has_company AND company_type = 'account'
    END AS is_account,
    CASE WHEN versionnumber IS NOT NULL THEN 'W/"' || versionnumber || '"' END AS etag,
    number IS NOT NULL AND NOT regexp_full_match(number, $number_pattern) AS malformed
FROM typed
