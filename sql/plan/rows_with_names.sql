-- One row per contact row whose company is no id.
-- in: hashes (hashes.sql)    unique by: source_row
SELECT source_row FROM hashes WHERE has_company AND company IS NULL ORDER BY source_row
