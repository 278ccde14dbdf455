-- One row per row that says that something is deleted, and not what: where it stands, in order.
-- in: deletions_without_id    unique by: nothing
SELECT source_file, source_line
FROM deletions_without_id
ORDER BY source_row
