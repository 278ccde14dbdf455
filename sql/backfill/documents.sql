-- One row: how many documents count.
-- in: quotes, salesorders, invoices    params: $statuses (all, when empty)
SELECT count(*) AS documents
FROM (
    SELECT isdelete, statecode FROM quotes
    UNION ALL
    SELECT isdelete, statecode FROM salesorders
    UNION ALL
    SELECT isdelete, statecode FROM invoices
) AS documents
WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
