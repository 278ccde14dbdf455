-- One row per key of the last loads, and the number in it.
-- in: loaded (destination_key, row_hash)    unique by: destination_key
SELECT *, key_of(split_part(destination_key, '/', 2)) AS number_key
FROM loaded
