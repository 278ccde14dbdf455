-- One row per contact row, in any order: hashes under which equal ids and equal numbers meet,
-- whether its id can be read, whether it has documents, and whether its lookups are filled with
-- something that may be a name. What is equal here is looked at exactly later.
-- in: contacts, activity    unique by: source_row
-- A further CASE on an id would read its text another time. The join with documents comes last:
-- where it spills, it spills hashes, and not the texts that they are made of.
SELECT
    source_row, id, number, company, has_company, of_contact, contactid_invalid,
    coalesce(contactid IN (SELECT contactid FROM activity), false) AS has_activity,
    currency_is_no_id
FROM (
    SELECT
        source_row,
        contactid,
        CASE WHEN contactid IS NOT NULL THEN hash(contactid) END AS id,
        number_hash(msdynce_contactnumber) AS number,
        CASE WHEN parentcustomerid IS NOT NULL THEN hash(parentcustomerid) END AS company,
        trimmed("raw:parentcustomerid") IS NOT NULL AS has_company,
        lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact,
        contactid IS NULL AS contactid_invalid,
        strlen("raw:transactioncurrencyid") NOT IN (36, 38) AS currency_is_no_id
    FROM contacts
) AS contacts_hashed
