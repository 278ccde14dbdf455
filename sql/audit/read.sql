-- One row per row of a source table that was landed in the run folder, every value as text.
-- in: a view of files    names: files, columns    unique by: source_file, source_line
SELECT source_file, source_line, {{columns}}
FROM {{files}}
