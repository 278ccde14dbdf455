-- One row per legal entity of the run, blank for none, with its number of contacts.
-- in: decided    unique by: name
SELECT coalesce(legal_entity, '') AS name, count(*) AS rows
FROM decided
GROUP BY ALL
ORDER BY name
