-- One row: the syntax tree of a statement as JSON, in which "error" says whether it is SQL at all.
-- in: nothing    params: $text
SELECT json_serialize_sql($text) AS tree
