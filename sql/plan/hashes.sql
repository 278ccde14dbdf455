-- One row per contact row, in any order: hashes under which equal ids and equal numbers meet,
-- whether its id can be read, whether it has documents, and what needs a look besides: a deletion
-- without an id, lookups that may be names. What is equal here is looked at exactly later.
-- in: contacts_resolved, activity    unique by: source_row
SELECT
    source_row,
    CASE WHEN contactid IS NOT NULL THEN hash(contactid) END AS id,
    number_hash(msdynce_contactnumber) AS number,
    CASE WHEN parentcustomerid IS NOT NULL THEN hash(parentcustomerid) END AS company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact,
    contactid IS NULL AS contactid_invalid,
    coalesce(contactid IN (SELECT contactid FROM activity), false) AS has_activity,
    CASE WHEN contactid IS NULL THEN isdelete END AS deletion_without_id,
    CASE WHEN parentcustomerid IS NULL THEN trimmed("raw:parentcustomerid") IS NOT NULL END
        AS company_is_no_id,
    strlen("raw:transactioncurrencyid") NOT IN (36, 38) AS currency_is_no_id
FROM contacts_resolved
