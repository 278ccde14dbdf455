-- One row per contact row: hashes under which equal ids meet; a backfill reads no id of its own
-- accord.
-- in: contacts_resolved    unique by: source_row
SELECT
    source_row,
    id_hash("raw:contactid") AS id,
    CAST(NULL AS UBIGINT) AS number,
    id_hash("raw:parentcustomerid") AS company,
    lookup_type_of(parentcustomeridtype) = 'contact' AS of_contact,
    CASE WHEN isdelete THEN contactid IS NULL END AS deletion_without_id,
    CASE
        WHEN strlen("raw:parentcustomerid") = 36 AND "raw:parentcustomerid"[9] = '-' THEN false
        ELSE parentcustomerid IS NULL AND trimmed("raw:parentcustomerid") IS NOT NULL
    END AS company_is_no_id,
    false AS currency_is_no_id
FROM contacts_resolved
