-- One row per key that SCM has: customers, whose company is blank, and contact persons.
-- in: known_customers, known_persons (dataAreaId, ContactPersonPartyNumber, AssociatedPartyNumber)
-- unique by: legal_entity_key, number_key, company_key
SELECT legal_entity_key, account_key AS number_key, '' AS company_key
FROM known_customers
WHERE account_key IS NOT NULL
UNION
SELECT key_of(dataAreaId), key_of(ContactPersonPartyNumber), key_of(AssociatedPartyNumber)
FROM known_persons
WHERE key_of(ContactPersonPartyNumber) IS NOT NULL AND key_of(AssociatedPartyNumber) IS NOT NULL
