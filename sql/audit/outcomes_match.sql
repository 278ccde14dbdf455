-- One row: whether the outcomes of a task are those of its planned rows, no more and no less.
-- in: planned (rows of the task), outcomes    params: $task
-- Both sides are equal when as many rows have the same sum of hashes.
SELECT p.n = o.n AND p.digest = o.digest AS are_equal
FROM (
    SELECT
        count(*) AS n,
        coalesce(bit_xor(hash(contactid, destination_key, batch)), 0) AS digest
    FROM planned
) AS p
CROSS JOIN (
    SELECT
        count(*) AS n,
        coalesce(bit_xor(hash(contactid, destination_key, batch)), 0) AS digest
    FROM outcomes
    WHERE task = $task
) AS o
