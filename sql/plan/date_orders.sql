-- One row: how many values of a column of dates have slashes or dashes, the year last, and how many
-- of them show whether the day or the month comes first.
-- in: the table    names: rows, column    params: $slashed
-- The first condition leaves out the form of the Web API, at a tenth of the cost of a pattern.
SELECT
    count(*) AS slashed,
    count(*) FILTER (WHERE first > 12 AND second <= 12) AS day_first,
    count(*) FILTER (WHERE first <= 12 AND second > 12) AS month_first
FROM (
    SELECT
        TRY_CAST(regexp_extract(written, '^[0-9]+') AS INTEGER) AS first,
        TRY_CAST(regexp_extract(written, '^[0-9]+.([0-9]+)', 1) AS INTEGER) AS second
    FROM (SELECT trimmed({{column}}) AS written FROM {{rows}} WHERE {{column}} NOT LIKE '____-__-%')
    WHERE regexp_full_match(written, $slashed)
) AS dates
