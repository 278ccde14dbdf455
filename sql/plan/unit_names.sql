-- One row per name of a business unit.
-- in: businessunits    unique by: name
SELECT DISTINCT trimmed(name) AS name
FROM businessunits
WHERE name IS NOT NULL
