-- One row per id of a side table whose rows nothing tells apart: how many, and where the first is.
-- in: side_states    unique by: id
SELECT
    CAST(id AS VARCHAR) AS id,
    count(*) AS n,
    arg_min(source_file, source_row) AS source_file,
    arg_min(source_line, source_row) AS source_line
FROM side_states
WHERE state = 'repeated'
GROUP BY id
ORDER BY id
