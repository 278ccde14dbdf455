-- One row per row of a table of documents that does not stand for itself: whose id may occur more
-- than once, or a deletion without an id.
-- in: the table    names: rows, key    unique by: source_row
WITH twice AS (
    SELECT hash({{key}}) AS id
    FROM {{rows}}
    WHERE {{key}} IS NOT NULL
    GROUP BY ALL
    HAVING count(*) > 1
)
SELECT source_row, {{key}} IS NULL AS deletion_without_id
FROM {{rows}}
WHERE hash({{key}}) IN (SELECT id FROM twice) OR ({{key}} IS NULL AND isdelete)
