-- One row per contact row of a part, in source order: its hashes and marks.
-- in: hashes (hashes.sql, of the part)    unique by: source_row
SELECT * FROM hashes ORDER BY source_row
