-- One row per spelling of a business unit: its legal entity, and that as a key.
-- in: spellings    unique by: unit
SELECT unit, min(legal_entity) AS legal_entity, key_of(min(legal_entity)) AS legal_entity_key
FROM spellings
GROUP BY unit
