-- One row: how many of the first cells of a column hold something, and how many of them are masks.
-- in: the table    names: rows, column    params: $few, $masked    unique by: filled
SELECT count(*) AS filled, count(*) FILTER (WHERE regexp_matches(cell, $masked)) AS masked
FROM (
    SELECT {{column}} AS cell
    FROM {{rows}}
    LIMIT $few
) AS first_rows
WHERE cell <> ''
