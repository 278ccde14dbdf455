-- No row: what stands for a landed table that the source does not have.
-- in: nothing    unique by: source_row
SELECT
    CAST(0 AS BIGINT) AS source_row,
    CAST(NULL AS VARCHAR) AS source_file,
    CAST(0 AS BIGINT) AS source_line
WHERE false
