-- One row per word that databases write for null and that is all that some cells of a column hold:
-- how many.
-- in: the table    names: rows, column    params: $words, $longest    unique by: word
-- Nearly no cell is as short as these words, or padded; only those are compared, unless they begin
-- with a to m, as the types of lookups do, or with A to D, as contact numbers do, and none of the
-- words.
SELECT trimmed({{column}}) AS word, count(*) AS cells
FROM {{rows}}
WHERE (strlen({{column}}) <= $longest OR suffix({{column}}, ' '))
    AND NOT ord({{column}}) BETWEEN 97 AND 109
    AND NOT ord({{column}}) BETWEEN 65 AND 68
    AND trimmed({{column}}) IN (SELECT unnest($words))
GROUP BY word
ORDER BY word
