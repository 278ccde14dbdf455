-- One row per word that databases write for null and that is all that some cells of a column hold:
-- how many.
-- in: the table    names: rows, column    params: $words, $longest    unique by: word
-- Nearly no cell is as short as these words, and only those are compared.
SELECT {{column}} AS word, count(*) AS cells
FROM {{rows}}
WHERE strlen({{column}}) <= $longest AND list_contains($words, {{column}})
GROUP BY {{column}}
ORDER BY word
