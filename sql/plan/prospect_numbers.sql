-- One row per party that is a prospect of a legal entity under another number: SCM refuses it as a
-- customer.
-- in: known_prospects (dataAreaId, ProspectId, PartyNumber)
-- unique by: legal_entity_key, number_key
SELECT DISTINCT legal_entity_key, number_key
FROM (
    SELECT
        key_of(dataAreaId) AS legal_entity_key,
        key_of(PartyNumber) AS number_key,
        key_of(ProspectId) AS prospect_key
    FROM known_prospects
) AS prospects
WHERE number_key IS NOT NULL AND prospect_key <> number_key
