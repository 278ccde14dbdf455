-- One row per source row whose id occurs more than once: whether it is the current row of its id.
-- in: ranked_rows (ranked.sql)    params: $corrected (see there)    unique by: source_row
-- Equal copies count once; what cannot be distinguished stays `repeated`. The newest live rows are
-- gone if a deletion is later: by versionnumber, else by sinkmodifiedon, else by modifiedon,
-- whatever both have; else by its place in the source. A deletion that carries the last
-- versionnumber of its row is later, for a row that comes back gets a new one.
WITH newest AS (
    SELECT * FROM ranked_rows WHERE place = 1 AND NOT deleted
),
gone AS (
    SELECT DISTINCT n.source_row
    FROM newest AS n
    JOIN (SELECT * FROM ranked_rows WHERE deleted AND NOT former) AS d ON d.id = n.id
    WHERE coalesce(n.versionnumber < $corrected, true) AND CASE
        WHEN d.versionnumber IS NOT NULL AND n.versionnumber IS NOT NULL
            THEN d.versionnumber >= n.versionnumber
        WHEN d.sinkmodifiedon <> n.sinkmodifiedon THEN d.sinkmodifiedon > n.sinkmodifiedon
        WHEN d.modifiedon <> n.modifiedon THEN d.modifiedon > n.modifiedon
        ELSE d.source_row > n.source_row
    END
),
alive AS (
    SELECT
        n.source_row,
        n.id,
        min(n.content) OVER (PARTITION BY n.id) = max(n.content) OVER (PARTITION BY n.id) AS alike,
        row_number() OVER (PARTITION BY n.id, n.content ORDER BY n.source_row) AS copy
    FROM newest AS n
    ANTI JOIN gone AS g ON g.source_row = n.source_row
),
turns AS (
    SELECT
        source_row,
        row_number() OVER (PARTITION BY id ORDER BY former, place, source_row) AS turn
    FROM ranked_rows
    WHERE deleted
)
SELECT
    r.source_row,
    r.source_file,
    r.source_line,
    r.id,
    CASE
        WHEN a.copy = 1 AND a.alike THEN 'current'
        WHEN a.copy = 1 THEN 'repeated'
        WHEN t.turn = 1 AND s.id IS NULL THEN 'deleted'
        ELSE 'superseded'
    END AS state
FROM ranked_rows AS r
LEFT JOIN alive AS a ON a.source_row = r.source_row
LEFT JOIN turns AS t ON t.source_row = r.source_row
LEFT JOIN (SELECT DISTINCT id FROM alive) AS s ON s.id = r.id
