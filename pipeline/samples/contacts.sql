-- One row per contact row of the blocks from $first to before $last, and what other tables need of
-- it. Every value is text until the last step.
-- in: contact_slots, cultures, units, currencies    names: columns
-- params: $seed, $first, $last, $until, $size, $account_size, $cultures, $ordinary, $streets,
--         $jobs, $departments
-- unique by: row
WITH numbered AS (
    SELECT b.block, s.*,
           b.block * $size + s.position AS row,
           b.block * $size + s.owner AS n,
           1000 + b.block * $size + coalesce(s.number_owner, s.owner) AS serial,
           sample_hash($seed, 'contact values', b.block, s.owner) AS hash
    FROM (SELECT unnest(range(CAST($first AS BIGINT), CAST($last AS BIGINT))) AS block) b
    CROSS JOIN contact_slots s
    WHERE b.block * $size + s.position < $until
),
hashed AS (
    SELECT *,
           bits_of(hash) AS bits,
           other_bits_of(CASE
               WHEN number_account IS NOT NULL
                   THEN sample_hash($seed, 'account values', block, number_account)
               WHEN number_owner IS NOT NULL
                   THEN sample_hash($seed, 'contact values', block, number_owner)
               ELSE hash
           END) AS number_bits
    FROM numbered
),
people AS (
    SELECT r.*, c.country, c.phone,
           coalesce(r.unit, c.unit) AS unit_key,
           coalesce(r.currency, c.currency) AS currency_key,
           pick(c.first_names, bits, 8) AS first_name,
           pick(c.last_names, bits, 12) AS last_name,
           pick(c.places, bits, 16) AS place
    FROM hashed r
    JOIN cultures c ON c.culture = r.bits % $cultures
),
named AS (
    SELECT *,
           given(set_firstname, first_name) AS firstname,
           given(set_lastname, last_name) AS lastname
    FROM people
),
made AS (
    SELECT
        row, block, owner, older, same, quote, orders, invoice, in_scm, unit_key, currency_key,
        CASE
            WHEN id_text IS NULL THEN written(sample_guid($seed, 'contact', block, owner), id_form)
            ELSE nullif(id_text, '')
        END AS contactid,
        written(
            CASE
                WHEN number_account IS NOT NULL
                    THEN sample_number(
                        'ACC-', 1000 + block * $account_size + number_account, number_bits)
                WHEN number_text IS NOT NULL
                    THEN nullif(replace(number_text, '{n}', five_digits(serial)), '')
                ELSE sample_number('CON-', serial, number_bits)
            END, number_form) AS msdynce_contactnumber,
        given(set_msdynce_isactivecustomer, CASE role WHEN 'customer' THEN 'true' ELSE 'false' END)
            AS msdynce_isactivecustomer,
        given(set_msdynce_iscompanyanaccount,
            CASE WHEN company_kind IN ('account', 'pick', 'nobody') THEN 'true' ELSE 'false' END)
            AS msdynce_iscompanyanaccount,
        written(
            CASE company_kind
                WHEN 'pick' THEN sample_guid($seed, 'account', block, (bits >> 20) % $ordinary)
                WHEN 'account' THEN sample_guid($seed, 'account', block, company_key)
                WHEN 'contact' THEN sample_guid($seed, 'contact', block, company_key)
                WHEN 'nobody' THEN sample_guid($seed, 'nobody', block, company_key)
                WHEN 'text' THEN company_key
                WHEN 'space' THEN company_key
            END, company_form) AS _parentcustomerid_value,
        given(company_type,
            CASE
                WHEN company_kind = 'contact' THEN 'contact'
                WHEN company_kind <> 'space' THEN 'account'
            END)
            AS "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
        firstname,
        given(set_middlename, CASE WHEN bits % 7 = 0 THEN digit36(bits % 26, 1) || '.' END)
            AS middlename,
        lastname,
        given(set_fullname, concat_ws(' ', firstname, lastname)) AS fullname,
        given(set_jobtitle, pick($jobs, bits, 24)) AS jobtitle,
        given(set_department, pick($departments, bits, 28)) AS department,
        given(set_emailaddress1, 'contact' || five_digits(1000 + n) || '@example.com')
            AS emailaddress1,
        given(set_telephone1, phone || lpad(CAST(bits % 100 AS VARCHAR), 2, '0')) AS telephone1,
        given(set_fax,
            CASE
                WHEN bits % 11 = 0 THEN phone || lpad(CAST((bits + 1) % 100 AS VARCHAR), 2, '0')
            END) AS fax,
        given(set_websiteurl,
            CASE WHEN bits % 5 = 0 THEN 'https://www.example.com/people/' || n END) AS websiteurl,
        given(set_governmentid, CASE WHEN bits % 13 = 0 THEN 'ID ' || (bits % 1000000) END)
            AS governmentid,
        given(set_description,
            CASE
                WHEN bits % 3 = 0
                    THEN 'Met at the fair; interested in ' || pick($departments, bits, 32) || '.'
            END)
            AS description,
        given(set_gendercode,
            CASE (bits >> 36) % 5 WHEN 0 THEN '' WHEN 1 THEN '1' WHEN 2 THEN '1' ELSE '2' END)
            AS gendercode,
        given(set_familystatuscode,
            CASE (bits >> 38) % 6
                WHEN 0 THEN ''
                WHEN 5 THEN ''
                ELSE CAST((bits >> 38) % 6 AS VARCHAR)
            END)
            AS familystatuscode,
        given(set_donotemail, CASE WHEN (bits >> 40) % 10 = 0 THEN 'true' ELSE 'false' END)
            AS donotemail,
        given(set_creditlimit,
            CASE role
                WHEN 'customer' THEN CAST(((bits >> 42) % 50) * 500 AS VARCHAR) || '.0000'
            END) AS creditlimit,
        written(currencies.id, currency_form) AS _transactioncurrencyid_value,
        given(set_address1_line1,
            CAST(1 + bits % 200 AS VARCHAR) || ' ' || pick($streets, bits, 44)) AS address1_line1,
        given(set_address1_city, place[1]) AS address1_city,
        given(set_address1_stateorprovince, place[2]) AS address1_stateorprovince,
        given(set_address1_postalcode, place[3]) AS address1_postalcode,
        given(set_address1_country, country) AS address1_country,
        given(set_merged, 'false') AS merged,
        given(set_statecode, '0') AS statecode,
        given(set_statuscode, '1') AS statuscode,
        CASE WHEN unit_text IS NULL THEN written(units.id, unit_form) ELSE nullif(unit_text, '') END
            AS _owningbusinessunit_value,
        given(set_createdon, iso_time(created(n))) AS createdon,
        given(set_modifiedon, iso_time(modified(n, bits, older))) AS modifiedon,
        given(set_versionnumber, CAST(1000000 + n * 4 - older AS VARCHAR)) AS versionnumber,
        given(set_isdelete, 'false') AS isdelete
    FROM named
    LEFT JOIN currencies ON currencies.currency = currency_key
    LEFT JOIN units ON units.unit = unit_key
)
SELECT
    row, block, owner, in_scm, unit_key, currency_key, same, quote, orders, invoice,
    {{columns}}
FROM made
