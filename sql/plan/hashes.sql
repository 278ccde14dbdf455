-- One row per contact row, in any order: hashes under which equal ids and equal numbers meet,
-- whether its id can be read, and whether it has documents. What is equal here is looked at exactly
-- later.
-- in: contacts, activity    unique by: source_row
SELECT
    source_row,
    CASE WHEN contactid IS NOT NULL THEN hash(contactid) END AS id,
    number_hash(msdynce_contactnumber) AS number,
    CASE WHEN parentcustomerid IS NOT NULL THEN hash(parentcustomerid) END AS company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact,
    contactid IS NULL AS contactid_invalid,
    coalesce(contactid IN (SELECT contactid FROM activity), false) AS has_activity
FROM contacts
