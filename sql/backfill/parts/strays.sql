-- One row per customer of documents that no part has, as evidence.sql tells it.
-- in: activity_of (activity.sql), met (met.sql, of all parts)    unique by: nothing
SELECT CAST(NULL AS BIGINT) AS source_row, a.quotes, a.orders, a.invoices
FROM activity_of AS a
ANTI JOIN met AS m ON m.id = a.id
WHERE a.id IS NOT NULL
