-- One row per contact as it is now, with what a backfill would make of it; ranks count those that need a number.
-- in: contacts_filtered, contact_states, accounts, companies, only_ids, evidence
-- params: $has_only, $limit (none, when negative), $numbering, $null_to_no, $fix_company_flag, $number_pattern
-- unique by: source_row
WITH counted AS (
    SELECT
        c.source_row, c.source_file, c.source_line,
        CAST(c.contactid AS VARCHAR) AS contactid,
        trimmed(c."raw:contactid") AS written_id,
        coalesce(s.state, 'current') AS state,
        trimmed(c.msdynce_contactnumber) AS number,
        c.msdynce_isactivecustomer AS active,
        c.msdynce_isactivecustomer IS NULL AND trimmed(c."raw:msdynce_isactivecustomer") IS NOT NULL AS active_unreadable,
        c.msdynce_iscompanyanaccount AS company_flag,
        c.parentcustomerid IS NOT NULL AS has_company,
        coalesce(
            lookup_type_of(c.parentcustomeridtype),
            CASE WHEN a.accountid IS NOT NULL THEN 'account' WHEN k.contactid IS NOT NULL THEN 'contact' END
        ) AS company_type,
        c.createdon,
        c.versionnumber,
        c.passes_filter AND (NOT $has_only OR o.contactid IS NOT NULL) AS selected,
        e.quotes, e.orders, e.invoices, e.first_activity, e.last_activity, e.document,
        e.contactid IS NOT NULL AS has_activity
    FROM contacts_filtered AS c
    LEFT JOIN contact_states AS s ON s.source_row = c.source_row
    LEFT JOIN accounts AS a ON a.accountid = c.parentcustomerid
    LEFT JOIN companies AS k ON k.contactid = c.parentcustomerid
    LEFT JOIN only_ids AS o ON o.contactid = c.contactid
    LEFT JOIN evidence AS e ON e.contactid = c.contactid
    WHERE coalesce(s.state, CASE WHEN c.isdelete THEN 'deleted' ELSE 'current' END) NOT IN ('superseded', 'deleted')
),
chosen AS (
    SELECT
        *,
        contactid IS NOT NULL AND state <> 'repeated' AND selected
            AND ($limit < 0 OR count(*) FILTER (WHERE selected) OVER (ORDER BY source_row ROWS UNBOUNDED PRECEDING) <= $limit)
            AS wanted,
        has_company AND company_type = 'account' AS is_account
    FROM counted
),
changed AS (
    SELECT
        *,
        wanted AND $numbering AND number IS NULL AS gets_number,
        CASE
            WHEN NOT wanted OR active_unreadable THEN active
            WHEN has_activity THEN true
            WHEN active IS NULL AND $null_to_no THEN false
            ELSE active
        END AS active_after,
        CASE
            WHEN wanted AND $fix_company_flag AND (NOT has_company OR company_type IS NOT NULL) THEN is_account
            ELSE company_flag
        END AS company_flag_after
    FROM chosen
)
SELECT
    source_row, source_file, source_line, written_id, contactid, state, wanted, has_activity, company_flag, company_flag_after, active,
    active_after, number, quotes, orders, invoices, first_activity, last_activity, document, active_unreadable,
    CASE WHEN versionnumber IS NOT NULL THEN 'W/"' || versionnumber || '"' END AS etag,
    CASE
        WHEN gets_number THEN row_number() OVER (PARTITION BY gets_number ORDER BY createdon NULLS LAST, contactid) - 1
    END AS rank,
    number IS NOT NULL AND NOT regexp_full_match(number, $number_pattern) AS malformed,
    wanted AND active AND NOT has_activity AS without_activity,
    wanted AND company_flag IS NOT NULL AND (NOT has_company OR company_type IS NOT NULL) AND company_flag <> is_account
        AS company_disagrees
FROM changed
