-- One row per chosen row of the suspects.
-- in: suspects, chosen_rows (source_row)    unique by: source_row
SELECT * FROM suspects SEMI JOIN chosen_rows USING (source_row)
