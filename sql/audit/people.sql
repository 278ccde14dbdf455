-- One row per contact row that was read: name, mails and owner, null where the source has none.
-- in: contacts_read, people_without_rows (all columns as text)
-- unique by: source_file, source_line
SELECT
    source_file,
    source_line,
    CASE
        WHEN trimmed(fullname) <> '' THEN fullname
        ELSE nullif(concat_ws(' ', firstname, middlename, lastname), '')
    END AS name,
    emailaddress1,
    emailaddress2,
    emailaddress3,
    ownerid
FROM (FROM people_without_rows UNION ALL BY NAME FROM contacts_read)
