-- One row per key that earlier loads left at this destination, and the number in it.
-- in: loaded_files (destination_key, row_hash, filename, file_row_number)
-- unique by: destination_key
-- An earlier version wrote legal entities as they were. Of a key that was written in two ways, the
-- last file's last row counts.
SELECT
    entity_folded(destination_key) AS destination_key,
    row_hash,
    key_of(split_part(destination_key, '/', 2)) AS number_key
FROM loaded_files
QUALIFY row_number() OVER (
    PARTITION BY entity_folded(destination_key) ORDER BY filename DESC, file_row_number DESC
) = 1
