-- One row per contact row without an id that can be read.
-- in: hashes (hashes.sql)    unique by: source_row
SELECT source_row FROM hashes WHERE id IS NULL ORDER BY source_row
