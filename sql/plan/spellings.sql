-- One row per spelling under which a contact's business unit can match [organizations]: its name as
-- written, its id.
-- in: organizations (unit, legal_entity), businessunits, unit_rows_left_out
SELECT unit_key(unit) AS unit, legal_entity, unit AS organization
FROM organizations
UNION
SELECT CAST(b.businessunitid AS VARCHAR), o.legal_entity, o.unit
FROM organizations AS o
JOIN businessunits AS b ON trimmed(b.name) = trimmed(o.unit)
ANTI JOIN unit_rows_left_out AS l ON l.source_row = b.source_row
WHERE b.businessunitid IS NOT NULL
UNION
SELECT trimmed(b.name), o.legal_entity, o.unit
FROM organizations AS o
JOIN businessunits AS b ON CAST(b.businessunitid AS VARCHAR) = unit_key(o.unit)
ANTI JOIN unit_rows_left_out AS l ON l.source_row = b.source_row
WHERE trimmed(b.name) IS NOT NULL
