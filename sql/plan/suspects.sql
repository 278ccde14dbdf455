-- One row per contact row that needs an exact look.
-- in: contacts_chosen
-- names: content (content_hash, which takes all columns to read, or no_content)
-- unique by: source_row
SELECT
    source_row, source_file, source_line, contactid, msdynce_contactnumber, versionnumber,
    sinkmodifiedon, modifiedon, isdelete, isformer, {{content}} AS content_hash
FROM (SELECT *, CAST(NULL AS UBIGINT) AS no_content FROM contacts_chosen) AS contacts
