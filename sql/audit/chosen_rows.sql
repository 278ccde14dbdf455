-- One row per contact of a page, in source order: what was decided, its name, mail and owner.
-- in: chosen (place), decided, people    params: $first, $rows    unique by: place
WITH shown AS (
    SELECT d.*
    FROM decided AS d
    SEMI JOIN (FROM chosen ORDER BY place LIMIT $rows OFFSET $first) AS c ON c.place = d.place
)
SELECT s.*, p.name, p.emailaddress1 AS mail, p.ownerid AS owner
FROM people AS p
RIGHT JOIN shown AS s ON s.source_line = p.source_line AND s.source_file = p.source_file
ORDER BY s.place
