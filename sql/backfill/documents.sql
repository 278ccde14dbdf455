-- One row: how many documents count.
-- in: quotes_counted, salesorders_counted, invoices_counted    params: $statuses (all, when empty)
SELECT count(*) AS documents
FROM (
    SELECT isdelete, statecode FROM quotes_counted
    UNION ALL
    SELECT isdelete, statecode FROM salesorders_counted
    UNION ALL
    SELECT isdelete, statecode FROM invoices_counted
) AS documents
WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
