-- One row per source row whose id occurs more than once: its rank among them, and whether others share the first rank.
-- in: repeated_rows (id, source_row, versionnumber, modifiedon, deleted, …)    unique by: source_row
-- The highest versionnumber wins, else the highest modifiedon; a deletion that carries neither comes first, for an id is not
-- given twice.
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
)
SELECT *, place = 1 AND count(*) OVER (PARTITION BY id, place) > 1 AS tied
FROM ranked
