-- One row: the rows of a page as a list of records of text.
-- in: body (page: one JSON array)    params: $shape (the record, as from_json takes it)
SELECT from_json(page, $shape) AS rows
FROM body
