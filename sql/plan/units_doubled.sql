-- One row per business unit that [organizations] gives two legal entities, by its name and by its
-- id.
-- in: spellings    unique by: unit
SELECT unit
FROM spellings
GROUP BY unit
HAVING count(DISTINCT lower(legal_entity)) > 1
ORDER BY unit
