-- One row per contact row read, in any order (joins keep none): the evidence for its decision, and
-- one boolean per code of gates 1 to 6 that SQL can tell. What a column maps to is Polars' part; so
-- is which code comes first.
-- in: contacts_filtered, marks, accounts, companies, units, currencies, only_ids, known_keys,
--         loaded, loaded_numbers, organization_numbers, prospect_numbers
-- params: $legal_entity, $has_units, $has_currencies, $has_only, $scm_read, $hold_blank_flags,
--         $take_over, $number_pattern, $usual_is_valid, $has_keys, $has_loaded, $lookups_are_names,
--         $customers_have_currency, $persons_have_currency
-- unique by: source_row
-- $usual_is_valid: what matches the pattern needs no trimming and is valid. $has_keys, $has_loaded:
-- known_keys, loaded have rows; keys that nothing is joined by are not made. Legal entities are in
-- lower case in loaded. $lookups_are_names: a company's name that gives no account is ordinary, and
-- waits; otherwise it cannot be read.
WITH looked_at AS (
    SELECT *, $usual_is_valid AND regexp_full_match(msdynce_contactnumber, $number_pattern)
        AS is_plain
    FROM contacts_filtered
),
evidence AS (
    SELECT
        c.*,
        coalesce(m.state, CASE WHEN c.isdelete THEN 'deleted' ELSE 'current' END) AS row_state,
        c.parentcustomerid IS NOT NULL OR c.company_is_name AS has_company,
        CASE WHEN c.is_plain THEN c.msdynce_contactnumber ELSE trimmed(c.msdynce_contactnumber) END
            AS contact_number,
        lookup_type_of(c.parentcustomeridtype) AS lookup_type,
        CASE
            WHEN a.accountid IS NOT NULL THEN 'account'
            WHEN k.contactid IS NOT NULL THEN 'contact'
        END AS table_type,
        a.accountid IS NOT NULL AS account_is_there,
        a.number AS account_number,
        a.is_party AS account_is_party,
        a.customer_of,
        k.number AS company_contact_number,
        CASE WHEN $has_units THEN coalesce(u.legal_entity, $legal_entity) ELSE $legal_entity END
            AS legal_entity,
        coalesce(
            CASE WHEN $has_units THEN u.legal_entity_key END,
            key_of(CAST($legal_entity AS VARCHAR))
        ) AS legal_entity_key,
        coalesce(c.currency_by_name, r.isocurrencycode) AS code_of_currency,
        trimmed(c."transactioncurrencyid.isocurrencycode") AS code_beside_currency,
        coalesce(code_of_currency, code_beside_currency) AS currency_code,
        CASE
            WHEN trimmed(c."raw:transactioncurrencyid") IS NULL THEN NULL
            WHEN NOT $has_currencies THEN 'no_table'
            WHEN r.transactioncurrencyid IS NOT NULL THEN 'no_code'
            WHEN c.transactioncurrencyid IS NULL THEN 'no_id'
            ELSE 'not_listed'
        END AS currency_problem,
        m.owners,
        m.others,
        m.is_account_number,
        m.misplaced_column,
        m.misplaced_value,
        o.contactid IS NOT NULL AS in_only
    FROM looked_at AS c
    LEFT JOIN marks AS m ON m.source_row = c.source_row
    LEFT JOIN accounts AS a ON a.accountid = c.parentcustomerid
    LEFT JOIN companies AS k ON k.contactid = c.parentcustomerid
    LEFT JOIN units AS u ON u.unit = CASE WHEN $has_units THEN unit_key(c.owningbusinessunit) END
    LEFT JOIN currencies AS r ON r.transactioncurrencyid = c.transactioncurrencyid
    LEFT JOIN only_ids AS o ON o.contactid = CASE WHEN $has_only THEN c.contactid END
),
read AS (
    SELECT
        *,
        CASE WHEN isdelete IS NULL THEN trimmed("raw:isdelete") END AS unreadable_deletion,
        CASE
            WHEN msdynce_isactivecustomer IS NULL THEN trimmed("raw:msdynce_isactivecustomer")
        END AS unreadable_flag,
        CASE
            WHEN parentcustomerid IS NOT NULL THEN NULL
            WHEN NOT company_is_name THEN trimmed("raw:parentcustomerid")
            WHEN company_problem IS NOT NULL AND NOT $lookups_are_names
                AND msdynce_isactivecustomer IS NOT TRUE
                THEN trimmed("raw:parentcustomerid")
        END AS unreadable_company,
        CASE
            WHEN lookup_type IS NULL AND has_company
                THEN trimmed(parentcustomeridtype)
        END AS unreadable_type,
        CASE
            WHEN msdynce_iscompanyanaccount IS NULL THEN trimmed("raw:msdynce_iscompanyanaccount")
        END AS unreadable_company_flag,
        CASE
            WHEN NOT has_company THEN NULL
            ELSE coalesce(
                lookup_type, table_type, CASE WHEN msdynce_iscompanyanaccount THEN 'account' END
            )
        END AS company_type,
        CASE
            WHEN NOT has_company THEN NULL
            WHEN lookup_type IS NOT NULL THEN 'lookup'
            WHEN table_type IS NOT NULL THEN 'table'
            WHEN msdynce_iscompanyanaccount THEN 'flag'
        END AS company_type_from
    FROM evidence
),
routed AS (
    SELECT
        *,
        CASE
            WHEN unreadable_flag IS NOT NULL THEN NULL
            WHEN msdynce_isactivecustomer THEN 'ContactToCustomer'
            WHEN NOT has_company OR unreadable_company IS NOT NULL
                OR unreadable_type IS NOT NULL OR company_type = 'contact'
                THEN NULL
            ELSE 'Contacts'
        END AS route,
        CASE company_type
            WHEN 'account' THEN account_number
            WHEN 'contact' THEN company_contact_number
        END AS company_key
    FROM read
),
keyed AS (
    SELECT
        *,
        CASE
            WHEN NOT $has_loaded THEN NULL
            WHEN route = 'ContactToCustomer' THEN lower(legal_entity) || '/' || contact_number
            WHEN route = 'Contacts'
                THEN lower(legal_entity) || '/' || contact_number || '/' || company_key
        END AS loaded_key,
        CASE WHEN $has_keys OR $has_loaded THEN key_of(contact_number) END AS number_key,
        CASE
            WHEN NOT $has_keys THEN NULL
            WHEN route = 'ContactToCustomer' THEN ''
            ELSE key_of(company_key)
        END AS key_of_company,
        is_plain OR regexp_full_match(contact_number, $number_pattern) AS number_is_usual,
        route = 'ContactToCustomer' AND passes_filter AND (NOT $has_only OR in_only)
            AS is_wanted_customer
    FROM routed
)
SELECT
    q.source_row,
    q.row_state,
    q.route,
    CASE WHEN q.route IS NOT NULL THEN q.legal_entity END AS legal_entity,
    q.company_type,
    q.company_type_from,
    q.company_key,
    q.msdynce_isactivecustomer AS is_active_customer,
    q.others,
    q.owners,
    q.unreadable_deletion,
    CASE WHEN q.msft_datastate IN (0, 1) THEN NULL ELSE trimmed(q."raw:msft_datastate") END
        AS unreadable_retention,
    q.unreadable_flag,
    q.unreadable_company,
    q.company_problem,
    CASE
        WHEN q.company_is_name
            THEN coalesce(CAST(q.parentcustomerid AS VARCHAR), trimmed(q."raw:parentcustomerid"))
    END AS company_named,
    q.unreadable_type,
    CASE WHEN q.is_wanted_customer AND q.statecode IS NULL THEN trimmed(q."raw:statecode") END
        AS unreadable_state,
    CASE WHEN q.is_wanted_customer AND q.merged IS NULL THEN trimmed(q."raw:merged") END
        AS unreadable_merged,
    q.misplaced_column,
    CASE
        WHEN NOT q.is_wanted_customer OR q.misplaced_column NOT IN ('statecode', 'merged')
            THEN trimmed(q.misplaced_value)
    END AS misplaced_value,
    q.unreadable_company_flag AS flag_unreadable,
    q.row_state = 'repeated' AS contactid_repeated,
    q.msft_datastate = 1 AS archived,
    NOT q.passes_filter AS filtered_out,
    $has_only AND NOT q.in_only AS not_selected,
    $hold_blank_flags AND q.msdynce_isactivecustomer IS NULL AND q.unreadable_flag IS NULL
        AS flag_blank,
    q.msdynce_isactivecustomer IS NOT TRUE AND q.unreadable_flag IS NULL
        AND q.unreadable_company IS NULL
        AND NOT q.has_company AS no_company,
    q.msdynce_isactivecustomer IS NOT TRUE AND q.unreadable_flag IS NULL
        AND q.company_type = 'contact' AS company_is_contact,
    q.route = 'Contacts' AND q.company_problem = 'unknown' AS company_name_unknown,
    q.route = 'Contacts' AND q.company_problem = 'ambiguous' AS company_name_ambiguous,
    q.route = 'Contacts' AND q.company_type = 'account' AND NOT q.account_is_there
        AND q.company_problem IS NULL AS account_not_found,
    q.route = 'Contacts' AND q.company_type = 'account' AND q.account_is_there
        AND q.account_number IS NULL AS account_without_number,
    $scm_read AND q.route = 'Contacts' AND q.company_type = 'account'
        AND q.account_number IS NOT NULL
        AND NOT q.account_is_party
        AND NOT coalesce(list_contains(q.customer_of, q.legal_entity_key), false)
        AS account_not_in_scm,
    q.route = 'Contacts' AND q.company_type IS NULL AND q.company_problem IS NULL
        AS company_not_found,
    q.route IS NOT NULL AND q.legal_entity IS NULL AS legal_entity_unmapped,
    q.route IS NOT NULL AND q.contact_number IS NULL AS contact_number_missing,
    q.route IS NOT NULL AND q.owners > 1 AS contact_number_repeated,
    q.route IS NOT NULL AND q.is_account_number AS contact_number_is_account_number,
    q.route IS NOT NULL AND CASE
        WHEN q.is_plain THEN false
        WHEN strlen(q.contact_number) > 20 AND utf16_length(q.contact_number) > 20 THEN true
        ELSE regexp_matches(q.contact_number, '[/<>*%&:\\?+]')
    END AS contact_number_invalid,
    q.currency_problem,
    q.currency_problem IS NOT NULL AND q.currency_code IS NULL
        AND CASE q.route
            WHEN 'ContactToCustomer' THEN $customers_have_currency
            WHEN 'Contacts' THEN $persons_have_currency
        END AS currency_not_found,
    upper(q.code_beside_currency) <> upper(q.code_of_currency)
        AND regexp_full_match(q.code_beside_currency, '[A-Za-z]{3}')
        AND CASE q.route
            WHEN 'ContactToCustomer' THEN $customers_have_currency
            WHEN 'Contacts' THEN $persons_have_currency
        END AS currency_disagrees,
    q.code_beside_currency,
    $scm_read AND NOT $take_over AND q.route IS NOT NULL AND x.number_key IS NOT NULL
        AND l.destination_key IS NULL AS takeover,
    q.route IS NOT NULL AND g.number_key IS NOT NULL AS number_of_organization,
    q.route = 'ContactToCustomer' AND s.number_key IS NOT NULL AS number_of_prospect,
    q.route IS NOT NULL AND NOT q.number_is_usual AS contact_number_malformed,
    $scm_read AND q.route = 'Contacts' AND q.company_type = 'account' AND NOT q.account_is_party
        AND list_contains(q.customer_of, q.legal_entity_key) AS party_number_differs,
    q.lookup_type IS NOT NULL AND q.lookup_type <> q.table_type AS company_type_disagrees,
    q.msdynce_iscompanyanaccount IS NOT NULL AND q.unreadable_company IS NULL
        AND q.unreadable_type IS NULL
        AND (NOT q.has_company OR q.company_type IS NOT NULL)
        AND q.msdynce_iscompanyanaccount <> coalesce(q.company_type = 'account', false)
        AS flag_company_disagrees,
    q.route = 'ContactToCustomer' AND q.statecode = 1 AS customer_inactive,
    q.route = 'ContactToCustomer' AND q.merged AS customer_merged,
    q.route = 'Contacts' AND NOT list_contains(p.keys, q.loaded_key)
        AND len(list_filter(
            p.keys,
            lambda one: starts_with(one, lower(q.legal_entity) || '/' || q.contact_number || '/')
        )) > 0
        AS company_changed,
    q.route = 'ContactToCustomer' AND NOT list_contains(p.keys, q.loaded_key)
        AND len(list_filter(p.keys, lambda one: starts_with(one, q.loaded_key || '/'))) > 0
        AS promoted,
    q.route = 'Contacts' AND NOT list_contains(p.keys, q.loaded_key)
        AND list_contains(p.keys, lower(q.legal_entity) || '/' || q.contact_number)
        AS demoted,
    q.route IS NULL AND q.unreadable_flag IS NULL AND q.unreadable_company IS NULL
        AND q.unreadable_type IS NULL
        AND p.keys IS NOT NULL AS no_longer_routed,
    q.route IS NOT NULL AND q.legal_entity IS NOT NULL
        AND len(list_filter(p.keys, lambda one: starts_with(one, lower(q.legal_entity) || '/'))) = 0
        AS legal_entity_changed,
    array_to_string(p.keys, ', ') AS earlier_keys,
    x.number_key IS NOT NULL AS key_in_scm,
    l.row_hash AS loaded_hash,
    q.currency_code AS "text:transactioncurrencyid.isocurrencycode",
    COLUMNS('^(say|unread):')
FROM keyed AS q
LEFT JOIN known_keys AS x ON x.legal_entity_key = q.legal_entity_key AND x.number_key = q.number_key
    AND x.company_key = q.key_of_company
LEFT JOIN organization_numbers AS g ON g.number_key = q.number_key
LEFT JOIN prospect_numbers AS s
    ON s.legal_entity_key = q.legal_entity_key AND s.number_key = q.number_key
LEFT JOIN loaded AS l ON l.destination_key = q.loaded_key
LEFT JOIN loaded_numbers AS p ON p.number_key = q.number_key
