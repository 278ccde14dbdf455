-- One row: the last of the first $limit contact rows that count, -1 if there is none.
-- in: candidates    params: $limit
SELECT coalesce(max(source_row), -1) AS last_row
FROM (
    SELECT source_row
    FROM candidates
    WHERE selected AND state NOT IN ('superseded', 'deleted', 'unreadable')
    ORDER BY source_row
    LIMIT $limit
) AS chosen
