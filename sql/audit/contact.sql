-- The contact row of one line of a file.
-- in: contacts_read    params: $file, $line    unique by: source_file, source_line
SELECT *
FROM contacts_read
WHERE source_line = $line AND source_file = $file
