-- One row: how many values of a column of amounts show that the point, or the comma, is the decimal
-- sign.
-- in: the table    names: rows, column    params: $shows_point, $shows_comma
SELECT
    count(*) FILTER (WHERE regexp_full_match(written, $shows_point)) AS point,
    count(*) FILTER (WHERE regexp_full_match(written, $shows_comma)) AS comma
FROM (SELECT trimmed({{column}}) AS written FROM {{rows}} WHERE {{column}} IS NOT NULL) AS amounts
