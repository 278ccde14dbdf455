-- One row per contact row of a part: what side tables may be joined by.
-- in: contacts_filtered (of the part)    params: $by_id, $by_number
-- unique by: source_row
-- first_number_key: a number may hold the sign that divides keys. What nothing is joined by is not
-- read.
SELECT
    source_row,
    CASE WHEN $by_id THEN contactid END AS contactid,
    parentcustomerid,
    CASE WHEN $by_number THEN key_of(number) END AS number_key,
    CASE WHEN $by_number THEN key_of(split_part(number, '/', 1)) END AS first_number_key
FROM (
    SELECT
        source_row, contactid, parentcustomerid, trimmed(msdynce_contactnumber) AS number
    FROM contacts_filtered
) AS contacts
