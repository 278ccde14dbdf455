-- One row per spelling under which a contact's business unit can match [organizations]: its name as
-- written, its id.
-- in: organizations (unit, legal_entity), businessunits, unit_rows_left_out
WITH given AS MATERIALIZED (
    SELECT unit_key(unit) AS unit, trimmed(unit) AS name, legal_entity, unit AS organization
    FROM organizations
),
units AS MATERIALIZED (
    SELECT CAST(b.businessunitid AS VARCHAR) AS unit, trimmed(b.name) AS name
    FROM businessunits AS b
    ANTI JOIN unit_rows_left_out AS l ON l.source_row = b.source_row
)
SELECT unit, legal_entity, organization
FROM given
UNION
SELECT u.unit, g.legal_entity, g.organization
FROM given AS g
JOIN units AS u ON u.name = g.name
WHERE u.unit IS NOT NULL
UNION
SELECT u.name, g.legal_entity, g.organization
FROM given AS g
JOIN units AS u ON u.unit = g.unit
WHERE u.name IS NOT NULL
