-- One row per contact row: hashes under which equal ids meet, and whether its company is filled; a
-- backfill reads no id of its own accord.
-- in: contacts    unique by: source_row
SELECT
    source_row,
    id_hash("raw:contactid") AS id,
    CAST(NULL AS UBIGINT) AS number,
    id_hash("raw:parentcustomerid") AS company,
    trimmed("raw:parentcustomerid") IS NOT NULL AS has_company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact,
    false AS currency_is_no_id
FROM contacts
