-- One row: how many different values of a column of amounts show that the point, or the comma, is
-- the decimal sign. Amounts repeat themselves: patterns are matched with the different ones only.
-- in: the table    names: rows, column    params: $shows_point, $shows_comma
SELECT
    count(*) FILTER (WHERE regexp_full_match(written, $shows_point)) AS point,
    count(*) FILTER (WHERE regexp_full_match(written, $shows_comma)) AS comma
FROM (
    SELECT trimmed(value) AS written
    FROM (SELECT DISTINCT {{column}} AS value FROM {{rows}}) AS different
) AS amounts
