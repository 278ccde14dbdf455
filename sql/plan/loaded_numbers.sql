-- One row per contact number that earlier loads at this destination used: under which keys.
-- Legal entities are in lower case.
-- in: loaded (destination_key, row_hash)    unique by: number_key
SELECT
    key_of(split_part(destination_key, '/', 2)) AS number_key,
    list(destination_key ORDER BY destination_key) AS keys
FROM loaded
WHERE key_of(split_part(destination_key, '/', 2)) IS NOT NULL
GROUP BY number_key
