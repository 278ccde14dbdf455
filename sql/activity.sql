-- One row per contact that is the customer of a quote, order or invoice.
-- in: quotes, salesorders, invoices    unique by: contactid
SELECT DISTINCT customerid AS contactid
FROM (
    SELECT customerid, customeridtype, isdelete FROM quotes
    UNION ALL
    SELECT customerid, customeridtype, isdelete FROM salesorders
    UNION ALL
    SELECT customerid, customeridtype, isdelete FROM invoices
) AS sales
WHERE customerid IS NOT NULL
  AND isdelete IS NOT TRUE
  AND lookup_type_of(customeridtype) IS DISTINCT FROM 'account'
