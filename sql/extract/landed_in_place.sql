-- One row per row of a Parquet file that is read where it lies.
-- in: the file (with file_row_number)    names: files, columns
-- params: $name (what findings call it), $start (rows of the table before it)
-- unique by: source_row
SELECT
    file_row_number + $start AS source_row,
    $name AS source_file,
    file_row_number + 1 AS source_line,
    {{columns}}
FROM {{files}}
