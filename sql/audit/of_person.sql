-- The contacts whose name or mail has a text in it, whatever its case.
-- in: a view of decided, people    names: chosen    params: $text (in lower case)
-- unique by: place
SELECT c.*
FROM {{chosen}} AS c
SEMI JOIN (
    SELECT source_file, source_line
    FROM people
    WHERE contains(lower(name), $text)
        OR contains(lower(emailaddress1), $text)
        OR contains(lower(emailaddress2), $text)
        OR contains(lower(emailaddress3), $text)
) AS p ON p.source_line = c.source_line AND p.source_file = c.source_file
