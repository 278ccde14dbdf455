-- One row per row of Parquet sources that were read where they lie, every value as text.
-- in: a view of files (with filename and file_row_number)    names: files, columns
-- params: $paths, $names (what the run calls them)    unique by: source_file, source_line
SELECT
    $names[list_position($paths, filename)] AS source_file,
    file_row_number + 1 AS source_line,
    {{columns}}
FROM {{files}}
