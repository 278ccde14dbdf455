-- One row: what earlier loads at this destination left of the contacts that a plan compares.
-- in: loaded (destination_key, row_hash, number_key)
--     decisions (contact_number, reason, destination_key)
-- The text is another one with any other content. Sums do not depend on the order of rows, nor MD5
-- on the engine's version. Contacts that --only, --limit or a filter left out are not compared.
-- Legal entities are in lower case in loaded.
WITH
remembered AS (
    SELECT
        destination_key,
        number_key,
        md5_number_lower(concat_ws('|', destination_key, row_hash)) AS content
    FROM loaded
),
by_key AS (
    SELECT sum(r.content) AS content
    FROM decisions AS d
    INNER JOIN remembered AS r ON r.destination_key = entity_folded(d.destination_key)
),
by_number AS (
    SELECT sum(r.content) AS content
    FROM decisions AS d
    INNER JOIN remembered AS r ON r.number_key = key_of(d.contact_number)
    WHERE d.reason NOT IN ('filtered_out', 'not_selected')
)
SELECT concat_ws('-', coalesce(k.content, 0), coalesce(n.content, 0)) AS content
FROM by_key AS k
CROSS JOIN by_number AS n
