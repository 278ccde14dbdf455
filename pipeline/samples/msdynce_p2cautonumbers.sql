-- One row per number sequence; it holds the next free number.
-- in: counters    names: columns    unique by: msdynce_p2cautonumberid
WITH made AS (
    SELECT
        id AS msdynce_p2cautonumberid,
        'P2C ' || entity AS msdynce_name,
        entity AS msdynce_entityname,
        key AS msdynce_prefix,
        CAST(next AS VARCHAR) AS msdynce_numbersequence,
        '6' AS msdynce_suffixlength,
        CAST(200 + row_number() OVER () AS VARCHAR) AS versionnumber
    FROM counters
)
SELECT {{columns}}
FROM made
