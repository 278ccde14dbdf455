-- One row per field that an update changes, in source order and in the order of the template.
-- in: differing (row, place, contactid, destination_key, column, old, new)    params: $task
-- unique by: destination_key, column
SELECT contactid, $task AS task, destination_key, "column", "old", "new"
FROM differing
ORDER BY "row", place
