-- No row: what stands for owners that are not known.
-- in: nothing    unique by: source_file, source_line
SELECT '' AS source_file, 0 AS source_line, '' AS ownerid
WHERE false
