-- One row per key of [organizations] that is neither the name nor the id of a business unit.
-- in: organizations, businessunits    unique by: unit
SELECT DISTINCT o.unit
FROM organizations AS o
ANTI JOIN businessunits AS b
    ON trimmed(b.name) = trimmed(o.unit) OR CAST(b.businessunitid AS VARCHAR) = unit_key(o.unit)
ORDER BY o.unit
