-- One row per key that earlier loads left at this destination.
-- in: loaded (destination_key, row_hash)    unique by: destination_key
SELECT destination_key, row_hash
FROM loaded
ORDER BY destination_key
