-- One row per chosen row of a table that is kept as it was read, and a hash of what it says.
-- in: the table, sql/plan/chosen_landed    names: rows (the table), chosen
-- unique by: source_row
SELECT r.*, c.content_hash
FROM {{rows}} AS r
JOIN {{chosen}} AS c USING (source_row)
