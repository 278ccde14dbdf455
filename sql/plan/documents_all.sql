-- One row per document, all of which count.
-- in: the table    names: rows    unique by: source_row
SELECT * FROM {{rows}}
