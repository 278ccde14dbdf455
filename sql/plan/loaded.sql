-- One row per key that earlier loads left at this destination, and the number in it.
-- in: loaded_files (destination_key, row_hash)    unique by: destination_key
-- Legal entities are in lower case there.
SELECT destination_key, row_hash, key_of(split_part(destination_key, '/', 2)) AS number_key
FROM loaded_files
