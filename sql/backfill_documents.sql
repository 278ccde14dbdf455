-- One row per quote, order or invoice that counts: its kind, whose it is, and what type of customer that is.
-- in: quotes, salesorders, invoices    params: $statuses (all, when empty)    unique by: nothing
SELECT 'quote' AS kind, customerid, lookup_type_of(customeridtype) AS customer_type, createdon, trimmed(quotenumber) AS document
FROM quotes
WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
UNION ALL
SELECT 'order', customerid, lookup_type_of(customeridtype), createdon, trimmed(ordernumber)
FROM salesorders
WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
UNION ALL
SELECT 'invoice', customerid, lookup_type_of(customeridtype), createdon, trimmed(invoicenumber)
FROM invoices
WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
