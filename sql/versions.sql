-- One row per source row whose id occurs more than once: whether it is the current row of its id.
-- in: repeated_rows (id, source_row, versionnumber, modifiedon, deleted, content, …)    unique by: source_row
-- The highest versionnumber wins, else the highest modifiedon; equal copies count once; a deletion that carries neither
-- comes last, for an id is not given twice. What cannot be told apart stays `repeated`.
WITH ranked AS (
    SELECT
        *,
        rank() OVER (
            PARTITION BY id
            ORDER BY
                (deleted AND versionnumber IS NULL AND modifiedon IS NULL) DESC,
                versionnumber DESC NULLS LAST,
                modifiedon DESC NULLS LAST
        ) AS place
    FROM repeated_rows
),
newest AS (
    SELECT
        source_row,
        deleted,
        bool_or(deleted) OVER (PARTITION BY id) AS gone,
        min(content) OVER (PARTITION BY id) = max(content) OVER (PARTITION BY id) AS alike,
        row_number() OVER (PARTITION BY id, deleted, content ORDER BY source_row) AS copy,
        row_number() OVER (PARTITION BY id ORDER BY deleted DESC, source_row) AS turn
    FROM ranked
    WHERE place = 1
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
FROM ranked AS r
LEFT JOIN newest AS n ON n.source_row = r.source_row
