-- One row per contact row that has documents, and one, without source_row, per customer of
-- documents that is not there.
-- in: activity_of (backfill_activity.sql), candidates    unique by: source_row
SELECT c.source_row, a.quotes, a.orders, a.invoices, a.first_activity, a.last_activity, a.document
FROM candidates AS c
RIGHT JOIN (FROM activity_of WHERE id IS NOT NULL) AS a ON a.id = c.id
