-- One row: how many contacts a part has, how many of them are selected, and the highest number in
-- use with a prefix, 0 without any.
-- in: candidates (of the part)    params: $pattern (the digits are its first group)
SELECT
    count(*) FILTER (WHERE is_contact) AS contacts,
    count(*) FILTER (WHERE is_contact AND selected) AS selected,
    coalesce(
        max(TRY_CAST(regexp_extract(key_of(msdynce_contactnumber), $pattern, 1) AS BIGINT)), 0
    ) AS highest
FROM (
    SELECT
        selected,
        msdynce_contactnumber,
        state NOT IN ('superseded', 'deleted', 'unreadable') AS is_contact
    FROM candidates
) AS rows_of_part
