-- One row: how many keys are numbers without zeros in front that are shorter than those with them,
-- and where the first one stands.
-- in: the table    names: rows, column    params: $longest
SELECT
    count(*) AS cells,
    arg_min(source_file, source_row) AS source_file,
    arg_min(source_line, source_row) AS source_line
FROM {{rows}}
WHERE strlen(trimmed({{column}})) < $longest
    AND regexp_full_match(trimmed({{column}}), '[1-9][0-9]*')
