-- One row per contact row that may share its id or its number with another row, or be a company
-- that is no account; and whether it may share its id.
-- in: hashes (hashes.sql), account_hashes, ids_twice, numbers_twice (hash)
-- unique by: source_row
-- Equal hashes prove nothing; rows of other hashes share nothing.
WITH companies AS (
    SELECT DISTINCT h.company
    FROM hashes AS h
    WHERE h.company IS NOT NULL
        AND (h.of_contact OR h.company NOT IN (SELECT id FROM account_hashes WHERE id IS NOT NULL))
),
numbers AS (
    SELECT hash AS number FROM numbers_twice
    UNION ALL
    SELECT number FROM account_hashes WHERE number IS NOT NULL
),
marked AS (
    SELECT
        source_row,
        coalesce(id IN (SELECT hash FROM ids_twice), false) AS is_repeated,
        coalesce(number IN (SELECT number FROM numbers), false)
        OR coalesce(id IN (SELECT company FROM companies), false) AS is_met
    FROM hashes
)
SELECT source_row, is_repeated
FROM marked
WHERE is_repeated OR is_met
ORDER BY source_row
