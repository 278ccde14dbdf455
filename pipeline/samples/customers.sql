-- One row per customer that SCM has: those of the numbered accounts but a few, and those that
-- contacts would take over.
-- in: contact_rows, account_rows, units    unique by: CUSTOMERACCOUNT, DATAAREAID
WITH customers AS (
    SELECT block, owner AS place, upper(trim(accountnumber)) AS number, party_number,
           'Organization' AS type, name AS organization, CAST(NULL AS VARCHAR) AS first_name,
           CAST(NULL AS VARCHAR) AS last_name, unit_key, currency_key
    FROM account_rows
    WHERE in_scm AND NOT same AND trim(accountnumber) <> ''
    UNION ALL
    SELECT block, 1000 + owner, msdynce_contactnumber, NULL, 'Person', NULL, firstname, lastname,
           unit_key, currency_key
    FROM contact_rows
    WHERE in_scm
)
SELECT
    number AS "CUSTOMERACCOUNT",
    coalesce(party_number, number) AS "PARTYNUMBER",
    type AS "PARTYTYPE",
    organization AS "ORGANIZATIONNAME",
    first_name AS "PERSONFIRSTNAME",
    last_name AS "PERSONLASTNAME",
    '10' AS "CUSTOMERGROUPID",
    currency_key AS "SALESCURRENCYCODE",
    'en-us' AS "LANGUAGEID",
    'Yes' AS "ISEXTERNALLYMAINTAINED",
    coalesce(legal_entity, 'usmf') AS "DATAAREAID"
FROM customers
LEFT JOIN units ON units.unit = unit_key
ORDER BY block, place
