-- The contacts of one owner.
-- in: a view of decided, people    names: chosen    params: $owner    unique by: place
SELECT c.*
FROM {{chosen}} AS c
SEMI JOIN (SELECT source_file, source_line FROM people WHERE ownerid = $owner) AS p
    ON p.source_line = c.source_line AND p.source_file = c.source_file
