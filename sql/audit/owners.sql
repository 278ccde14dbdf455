-- One row per contact row that was read: its owner.
-- in: contacts_read    unique by: source_file, source_line
SELECT source_file, source_line, ownerid
FROM contacts_read
