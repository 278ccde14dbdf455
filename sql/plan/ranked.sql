-- One row per source row whose id occurs more than once: its rank among the live rows of its id,
-- or among the deletions.
-- in: repeated_rows (id, source_row, versionnumber, sinkmodifiedon, modifiedon, deleted, …)
-- params: $corrected (the lowest versionnumber of corrected rows, which are newer than any other)
-- unique by: source_row
-- The highest versionnumber wins, else the latest sinkmodifiedon, else the latest modifiedon; each
-- decides only if all of these rows have it: a row without a version is neither older nor newer.
SELECT
    *,
    rank() OVER (
        PARTITION BY id, deleted
        ORDER BY
            CASE WHEN versionnumber >= $corrected THEN versionnumber END DESC NULLS LAST,
            CASE WHEN versioned THEN versionnumber END DESC,
            CASE WHEN sunk THEN sinkmodifiedon END DESC,
            CASE WHEN modified THEN modifiedon END DESC
    ) AS place
FROM (
    SELECT
        *,
        bool_and(versionnumber IS NOT NULL) OVER (PARTITION BY id, deleted) AS versioned,
        bool_and(sinkmodifiedon IS NOT NULL) OVER (PARTITION BY id, deleted) AS sunk,
        bool_and(modifiedon IS NOT NULL) OVER (PARTITION BY id, deleted) AS modified
    FROM repeated_rows
) AS compared
