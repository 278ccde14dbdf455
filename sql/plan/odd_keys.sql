-- One row: what the keys of a column look like that are none of the usual form.
-- in: the table    names: rows, column    params: $usual, $hidden, $sign
-- hidden: they have signs that nobody sees. signs: they are nothing but signs. fractions: whole
-- numbers with .0; decimals: numbers with other decimals. padded: numbers that begin with 0. The
-- places are those of the first ones.
WITH keys AS (
    SELECT trimmed({{column}}) AS key, source_row, source_file, source_line
    FROM {{rows}}
    WHERE CASE WHEN regexp_full_match({{column}}, $usual) THEN false
        ELSE trimmed({{column}}) IS NOT NULL END
),
looked_at AS (
    SELECT
        *,
        (ord(key) > 127 OR strlen(key) <> length(key) OR regexp_matches(key, '[&\x01-\x1f\x7f]'))
            AND regexp_matches(key, $hidden) AS is_hidden,
        strlen(key) <= 10 AND regexp_full_match(key, $sign) AS is_sign,
        suffix(key, '.0') AND regexp_full_match(key, '[0-9]+\.0') AS is_fraction,
        contains(key, '.') AND regexp_full_match(key, '[0-9]+\.(0[0-9]+|[1-9][0-9]*)')
            AS is_decimal,
        prefix(key, '0') AND regexp_full_match(key, '0[0-9]+') AS is_padded
    FROM keys
)
SELECT
    count(*) FILTER (is_hidden) AS hidden,
    arg_min(source_file, source_row) FILTER (is_hidden) AS hidden_file,
    arg_min(source_line, source_row) FILTER (is_hidden) AS hidden_line,
    count(*) FILTER (is_sign) AS signs,
    arg_min(source_file, source_row) FILTER (is_sign) AS signs_file,
    arg_min(source_line, source_row) FILTER (is_sign) AS signs_line,
    count(*) FILTER (is_fraction) AS fractions,
    arg_min(source_file, source_row) FILTER (is_fraction) AS fractions_file,
    arg_min(source_line, source_row) FILTER (is_fraction) AS fractions_line,
    count(*) FILTER (is_decimal) AS decimals,
    count(*) FILTER (is_padded) AS padded,
    max(length(key)) FILTER (is_padded) AS longest
FROM looked_at
