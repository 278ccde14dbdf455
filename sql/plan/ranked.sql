-- One row per source row whose id occurs more than once: its rank among them.
-- in: repeated_rows (id, source_row, versionnumber, modifiedon, deleted, content, …)
-- unique by: source_row
-- The highest versionnumber wins, else the highest modifiedon; a deletion that carries neither
-- comes first, for an id is not given twice.
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
