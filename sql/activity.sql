-- One row per quote, order or invoice whose customer may be a contact.
-- in: quotes, salesorders, invoices    unique by: nothing
SELECT customerid AS contactid
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
