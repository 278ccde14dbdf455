-- One row per party that is a prospect of a legal entity under another number: SCM refuses it as a
-- customer.
-- in: known_prospects (dataAreaId, ProspectId, PartyNumber)
-- unique by: legal_entity_key, number_key
SELECT DISTINCT key_of(dataAreaId) AS legal_entity_key, key_of(PartyNumber) AS number_key
FROM known_prospects
WHERE key_of(PartyNumber) IS NOT NULL AND key_of(ProspectId) <> key_of(PartyNumber)
