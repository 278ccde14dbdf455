-- What a run wrote of one task and what can be taken back, by legal entity in the order of the run,
-- in batches of $size.
-- in: planned (the run's rows, with filename and file_row_number), listed (undo.parquet)
-- params: $task, $size
-- unique by: destination_key
SELECT p.* EXCLUDE (filename, file_row_number) REPLACE (
    u.action AS action,
    CAST(
        (
            row_number() OVER (
                PARTITION BY p.legal_entity ORDER BY p.filename, p.file_row_number
            ) - 1
        ) // $size + 1 AS INTEGER
    )
        AS batch
)
FROM planned AS p
JOIN listed AS u ON u.destination_key = p.destination_key
WHERE u.task = $task AND u.action IN ('delete', 'restore')
ORDER BY p.legal_entity, p.filename, p.file_row_number
