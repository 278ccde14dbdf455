-- One row per key of [organizations] that no contact has, by name or id.
-- in: spellings (units.sql), seen_units (unit)    unique by: organization
SELECT s.organization
FROM spellings AS s
GROUP BY s.organization
HAVING NOT bool_or(
    s.unit IN (
        SELECT unit FROM (SELECT unit_key(unit) AS unit FROM seen_units) AS seen
        WHERE unit IS NOT NULL
    )
)
ORDER BY s.organization
