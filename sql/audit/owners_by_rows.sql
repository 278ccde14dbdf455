-- One row per owner, those with most contacts that a person must look at first.
-- in: people, decided    params: $most    unique by: name
SELECT p.ownerid AS name, count(*) AS rows
FROM people AS p
SEMI JOIN (
    FROM decided WHERE decision IN ('held', 'rejected') OR outcome IS NOT NULL
) AS d ON d.source_line = p.source_line AND d.source_file = p.source_file
WHERE p.ownerid IS NOT NULL
GROUP BY ALL
ORDER BY rows DESC, name
LIMIT $most
