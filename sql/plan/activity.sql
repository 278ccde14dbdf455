-- One row per quote, order or invoice that counts: its customer if that may be a contact, and where
-- it stands if its customer is filled and cannot be read. A condition on the id would read every id
-- twice.
-- in: quotes_counted, salesorders_counted, invoices_counted    unique by: nothing
-- document: its table, by its place in DOCUMENTS.
SELECT
    document,
    CASE
        WHEN lookup_type_of(customeridtype) IS DISTINCT FROM 'account' THEN customerid
    END AS contactid,
    CASE
        WHEN customerid IS NULL AND trimmed("raw:customerid") IS NOT NULL THEN source_row
    END AS unread_row
FROM (
    SELECT
        CAST(0 AS UTINYINT) AS document, source_row, customerid, "raw:customerid", customeridtype,
        isdelete
    FROM quotes_counted
    UNION ALL
    SELECT
        CAST(1 AS UTINYINT), source_row, customerid, "raw:customerid", customeridtype, isdelete
    FROM salesorders_counted
    UNION ALL
    SELECT
        CAST(2 AS UTINYINT), source_row, customerid, "raw:customerid", customeridtype, isdelete
    FROM invoices_counted
) AS sales
WHERE isdelete IS NOT TRUE
