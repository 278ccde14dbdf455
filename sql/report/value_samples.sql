-- One row per cause of findings that has values: the first $count of them, in their order.
-- in: findings    params: $count    unique by: code, column, destination
SELECT code, "column", destination, min(value, $count) AS some
FROM findings
WHERE value IS NOT NULL
GROUP BY code, "column", destination
