-- One row per document that counts: superseded and deleted ones do not.
-- in: the table, its rows that do not count    names: rows, left_out    unique by: source_row
SELECT d.*
FROM {{rows}} AS d
ANTI JOIN {{left_out}} AS l ON l.source_row = d.source_row
