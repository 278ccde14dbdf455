-- One row per contact row of Parquet sources that were read where they lie, every value as text.
-- in: contacts_files (with filename and file_row_number)    names: columns
-- params: $files, $names (what the run calls them)    unique by: source_file, source_line
SELECT
    $names[list_position($files, filename)] AS source_file,
    file_row_number + 1 AS source_line,
    {{columns}}
FROM contacts_files
