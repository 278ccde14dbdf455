-- One row per id or name of a business unit, in lower case: its name.
-- in: businessunits    unique by: spelling
WITH named AS (
    SELECT CAST(businessunitid AS VARCHAR) AS spelling, trimmed(name) AS name
    FROM businessunits
    WHERE businessunitid IS NOT NULL
    UNION ALL
    SELECT lower(trimmed(name)), trimmed(name) FROM businessunits
)
SELECT spelling, min(name) AS name
FROM named
WHERE spelling IS NOT NULL AND name IS NOT NULL
GROUP BY spelling
