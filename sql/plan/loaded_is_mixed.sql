-- One row: whether the memory has a legal entity that is not in lower case.
-- in: loaded_files (destination_key)
SELECT coalesce(bool_or(destination_key <> entity_folded(destination_key)), false) AS is_mixed
FROM loaded_files
