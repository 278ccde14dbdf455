-- One row per contact number that earlier loads at this destination used: under which keys.
-- Legal entities are in lower case.
-- in: loaded (destination_key, number_key)    unique by: number_key
SELECT number_key, list(destination_key ORDER BY destination_key) AS keys
FROM loaded
WHERE number_key IS NOT NULL
GROUP BY number_key
