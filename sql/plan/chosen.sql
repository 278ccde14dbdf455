-- One row per chosen row of a table that is kept as it was read, and a hash of what it says.
-- names: rows (the table), chosen (sql/plan/chosen_landed.sql)    unique by: source_row
SELECT r.*, c.content_hash
FROM {{rows}} AS r
JOIN {{chosen}} AS c USING (source_row)
