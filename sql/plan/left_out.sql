-- One row per row of a side table that does not count: superseded, or a later one of repeats that
-- nothing tells apart.
-- in: side_states (source_row, id, state)    unique by: source_row
SELECT source_row
FROM (
    SELECT
        source_row,
        state,
        row_number() OVER (PARTITION BY id, state ORDER BY source_row) AS turn
    FROM side_states
) AS numbered
WHERE state IN ('superseded', 'deleted') OR (state = 'repeated' AND turn > 1)
