-- One row per contact row of a part: what side tables may be joined by.
-- in: contacts_filtered (of the part)    unique by: source_row
-- first_number_key: a number may hold the sign that divides keys.
SELECT
    source_row,
    contactid,
    parentcustomerid,
    key_of(number) AS number_key,
    key_of(split_part(number, '/', 1)) AS first_number_key
FROM (
    SELECT
        source_row, contactid, parentcustomerid, trimmed(msdynce_contactnumber) AS number
    FROM contacts_filtered
) AS contacts
