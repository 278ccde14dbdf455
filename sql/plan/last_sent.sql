-- One row per key of a task that was loaded here: what the load that did it sent.
-- in: earlier_rows (planned rows of runs, with filename), memory (destination_key, row_hash, run)
-- unique by: destination_key
-- A key without a hash was given back by an undo: what SCM has there is not what was sent.
SELECT e.*
FROM earlier_rows AS e
SEMI JOIN memory AS m ON entity_folded(m.destination_key) = entity_folded(e.destination_key)
    AND m.run = run_of_file(e.filename) AND m.row_hash <> ''
