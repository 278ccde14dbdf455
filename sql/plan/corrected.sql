-- One row per corrected row, in their order, as the source's own file would have it.
-- in: rows_typed
SELECT * FROM rows_typed
