-- One row per row of a side table that does not count: superseded, or a later one of repeats that nothing tells apart.
-- in: side_states (source_file, source_line, id, state)    unique by: source_file, source_line
SELECT source_file, source_line
FROM (
    SELECT
        source_file,
        source_line,
        state,
        row_number() OVER (PARTITION BY id, state ORDER BY source_file, source_line) AS turn
    FROM side_states
) AS numbered
WHERE state IN ('superseded', 'deleted') OR (state = 'repeated' AND turn > 1)
