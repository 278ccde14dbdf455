-- One row per contact row, in any order: hashes under which equal ids and equal numbers meet,
-- whether its id can be read, whether it has documents, and whether its lookups are filled with
-- something that may be a name. What is equal here is looked at exactly later.
-- in: contacts, activity    unique by: source_row
-- A further CASE on an id would read its text another time.
SELECT
    source_row,
    CASE WHEN contactid IS NOT NULL THEN hash(contactid) END AS id,
    number_hash(msdynce_contactnumber) AS number,
    CASE WHEN parentcustomerid IS NOT NULL THEN hash(parentcustomerid) END AS company,
    trimmed("raw:parentcustomerid") IS NOT NULL AS has_company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact,
    contactid IS NULL AS contactid_invalid,
    coalesce(contactid IN (SELECT contactid FROM activity), false) AS has_activity,
    strlen("raw:transactioncurrencyid") NOT IN (36, 38) AS currency_is_no_id
FROM contacts
