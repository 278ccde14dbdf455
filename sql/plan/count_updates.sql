-- One row: how many planned rows of a task update a record.
-- in: planned (action)
SELECT count(*) AS updates FROM planned WHERE action = 'update'
