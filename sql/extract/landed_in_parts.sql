-- One row per row of a Parquet source of several files that are read where they lie.
-- in: the files (with filename and file_row_number)    names: files, columns
-- params: $paths, $names (what findings call them), $starts (rows before each)
-- unique by: source_row
SELECT
    $starts[list_position($paths, filename)] + file_row_number AS source_row,
    $names[list_position($paths, filename)] AS source_file,
    file_row_number + 1 AS source_line,
    {{columns}}
FROM {{files}}
