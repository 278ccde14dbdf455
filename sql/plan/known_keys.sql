-- One row per key that SCM has: customers, whose company is blank, and contact persons.
-- in: known_customers, known_persons (dataAreaId, ContactPersonPartyNumber, AssociatedPartyNumber)
-- unique by: legal_entity_key, number_key, company_key
SELECT legal_entity_key, account_key AS number_key, '' AS company_key
FROM known_customers
WHERE account_key IS NOT NULL
UNION
SELECT legal_entity_key, number_key, company_key
FROM (
    SELECT
        key_of(dataAreaId) AS legal_entity_key,
        key_of(ContactPersonPartyNumber) AS number_key,
        key_of(AssociatedPartyNumber) AS company_key
    FROM known_persons
) AS persons
WHERE number_key IS NOT NULL AND company_key IS NOT NULL
