-- One row per chosen row of a landed table, as it lies there, and a hash of what it says.
-- in: the table, chosen_rows (source_row)    names: landed, content (the columns that count)
-- unique by: source_row
SELECT *, hash({{content}}) AS content_hash
FROM {{landed}}
SEMI JOIN chosen_rows USING (source_row)
