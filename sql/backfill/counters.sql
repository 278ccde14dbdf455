-- One row per counter of P2C AutoNumber.
-- in: msdynce_p2cautonumbers, counter_rows_left_out    unique by: nothing
SELECT
    lower(trimmed(msdynce_entityname)) AS entity,
    CAST(msdynce_p2cautonumberid AS VARCHAR) AS id,
    trimmed(msdynce_prefix) AS prefix,
    msdynce_numbersequence AS next,
    coalesce(msdynce_suffixlength, 6) AS suffix_length,
    CASE WHEN versionnumber IS NOT NULL THEN 'W/"' || versionnumber || '"' END AS etag
FROM msdynce_p2cautonumbers AS p
ANTI JOIN counter_rows_left_out AS l ON l.source_row = p.source_row
WHERE isdelete IS NOT TRUE
ORDER BY entity, id
