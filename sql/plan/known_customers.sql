-- One row per customer that SCM has in one legal entity, as keys.
-- in: known_customers_given (CustomerAccount, PartyNumber, dataAreaId), own_entities
SELECT
    key_of(k.CustomerAccount) AS account_key,
    key_of(k.PartyNumber) AS party_key,
    coalesce(key_of(k.dataAreaId), key_of(e.legal_entity)) AS legal_entity_key
FROM known_customers_given AS k
LEFT JOIN own_entities AS e ON trimmed(k.dataAreaId) IS NULL
