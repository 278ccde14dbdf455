-- One row per key that was loaded: the newer row of a key counts, and a key without hash goes.
-- in: loaded (the memory as it is), rows_loaded    unique by: destination_key
SELECT l.*
FROM loaded AS l
ANTI JOIN rows_loaded AS n ON n.destination_key = l.destination_key
UNION ALL
SELECT * FROM rows_loaded WHERE row_hash IS NOT NULL
