-- One row per id or name of a business unit: its name. Names match exactly, as in units.sql.
-- in: businessunits    unique by: spelling
WITH named AS (
    SELECT CAST(businessunitid AS VARCHAR) AS spelling, trimmed(name) AS name
    FROM businessunits
    WHERE businessunitid IS NOT NULL
    UNION ALL
    SELECT trimmed(name), trimmed(name) FROM businessunits
)
SELECT spelling, min(name) AS name
FROM named
WHERE spelling IS NOT NULL AND name IS NOT NULL
GROUP BY spelling
