-- One row per source row whose id occurs more than once: whether it is the current row of its id.
-- in: ranked_rows (ranked.sql)    unique by: source_row
-- Equal copies count once; what cannot be distinguished stays `repeated`.
WITH newest AS (
    SELECT
        r.source_row,
        r.deleted,
        bool_or(r.deleted) OVER (PARTITION BY r.id) AS gone,
        min(r.content) OVER (PARTITION BY r.id) = max(r.content) OVER (PARTITION BY r.id) AS alike,
        row_number() OVER (PARTITION BY r.id, r.deleted, r.content ORDER BY r.source_row) AS copy,
        row_number() OVER (PARTITION BY r.id ORDER BY r.deleted DESC, r.source_row) AS turn
    FROM ranked_rows AS r
    WHERE r.place = 1
)
SELECT
    r.source_row,
    r.source_file,
    r.source_line,
    r.id,
    CASE
        WHEN n.source_row IS NULL THEN 'superseded'
        WHEN n.gone THEN CASE WHEN n.turn = 1 THEN 'deleted' ELSE 'superseded' END
        WHEN n.copy > 1 THEN 'superseded'
        WHEN n.alike THEN 'current'
        ELSE 'repeated'
    END AS state
FROM ranked_rows AS r
LEFT JOIN newest AS n ON n.source_row = r.source_row
