-- One row per key of a task that was loaded here before and whose number no contact has.
-- in: memory (legal_entity, destination_key, run), decisions (contact_number)
-- unique by: destination_key
SELECT m.legal_entity, m.destination_key, m.run
FROM memory AS m
ANTI JOIN (SELECT DISTINCT key_of(contact_number) AS number_key FROM decisions) AS d
    ON d.number_key = key_of(split_part(m.destination_key, '/', 2))
