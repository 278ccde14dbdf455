-- One row per contact row of which something is true.
-- in: hashes (hashes.sql)    names: mark    unique by: source_row
SELECT source_row FROM hashes WHERE {{mark}}
