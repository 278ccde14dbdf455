-- One row per business unit, the root first.
-- in: units    names: columns    unique by: businessunitid
WITH made AS (
    SELECT
        id AS businessunitid,
        name,
        CASE WHEN row_number() OVER () > 1 THEN first_value(id) OVER () END
            AS _parentbusinessunitid_value,
        CAST(100 + row_number() OVER () AS VARCHAR) AS versionnumber
    FROM units
    WHERE name IS NOT NULL
)
SELECT {{columns}}
FROM made
