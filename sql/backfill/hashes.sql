-- One row per contact row: hashes under which equal ids meet; a backfill reads no id of its own
-- accord.
-- in: contacts    unique by: source_row
SELECT
    source_row,
    id_hash("raw:contactid") AS id,
    CAST(NULL AS UBIGINT) AS number,
    id_hash("raw:parentcustomerid") AS company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact
FROM contacts
