-- One row per contact row: hashes under which equal ids and equal numbers meet. What is equal here is looked at exactly later.
-- in: contacts    params: $numbers (whether numbers matter)    unique by: source_row
SELECT
    source_row,
    id_hash("raw:contactid") AS id,
    CASE WHEN $numbers THEN number_hash(msdynce_contactnumber) END AS number,
    id_hash("raw:parentcustomerid") AS company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact
FROM contacts
