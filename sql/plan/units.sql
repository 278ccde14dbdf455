-- One row per spelling of a business unit: its legal entity.
-- in: spellings    unique by: unit
SELECT unit, min(legal_entity) AS legal_entity
FROM spellings
GROUP BY unit
