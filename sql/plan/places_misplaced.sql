-- One row per row whose cells stand in wrong columns: where it stands.
-- in: misplaced, the table    names: rows    unique by: source_row
SELECT m.column_name, r.source_file, r.source_line
FROM misplaced AS m
JOIN {{rows}} AS r ON r.source_row = m.source_row
ORDER BY m.source_row
