-- One row per row of a table that was landed in one file of ours.
-- in: the file (with file_row_number)    names: files, columns    unique by: source_row
SELECT file_row_number AS source_row, source_file, source_line, {{columns}}
FROM {{files}}
