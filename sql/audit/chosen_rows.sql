-- One row per contact of a page, in source order: what was decided, its name, mail and owner.
-- in: chosen (place), decided, people, accepted (place, accepted_until, accepted_why)
-- params: $first, $rows    unique by: place
WITH shown AS (
    SELECT d.*
    FROM decided AS d
    SEMI JOIN (FROM chosen ORDER BY place LIMIT $rows OFFSET $first) AS c ON c.place = d.place
)
SELECT
    s.*,
    p.name,
    p.emailaddress1 AS mail,
    p.ownerid AS owner,
    a.accepted_until,
    a.accepted_why
FROM people AS p
RIGHT JOIN shown AS s ON s.source_line = p.source_line AND s.source_file = p.source_file
LEFT JOIN accepted AS a ON a.place = s.place
ORDER BY s.place
