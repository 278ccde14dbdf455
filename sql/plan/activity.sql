-- One row per quote, order or invoice whose customer may be a contact; null where its id cannot be
-- read.
-- in: quotes_counted, salesorders_counted, invoices_counted    unique by: nothing
-- Nulls stay: a condition on the id would read every id twice.
SELECT customerid AS contactid
FROM (
    SELECT customerid, customeridtype, isdelete FROM quotes_counted
    UNION ALL
    SELECT customerid, customeridtype, isdelete FROM salesorders_counted
    UNION ALL
    SELECT customerid, customeridtype, isdelete FROM invoices_counted
) AS sales
WHERE isdelete IS NOT TRUE
  AND lookup_type_of(customeridtype) IS DISTINCT FROM 'account'
