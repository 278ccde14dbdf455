-- One row per contact row that was landed in the run folder, every value as text.
-- in: contacts_files    names: columns    unique by: source_file, source_line
SELECT source_file, source_line, {{columns}}
FROM contacts_files
