-- The bare work, for comparison: documents aggregated by contact, joined to contacts; no counters, ranks, numbers, findings or checks.
-- in: contacts, quotes, salesorders, invoices    params: $target
COPY (
    SELECT
        c.contactid, c.msdynce_contactnumber, c.msdynce_isactivecustomer, c.msdynce_iscompanyanaccount, e.quotes, e.orders,
        e.invoices, e.first_activity, e.last_activity, e.document
    FROM contacts AS c
    LEFT JOIN (
        SELECT
            customerid,
            count(*) FILTER (WHERE kind = 'quote') AS quotes,
            count(*) FILTER (WHERE kind = 'order') AS orders,
            count(*) FILTER (WHERE kind = 'invoice') AS invoices,
            min(createdon) AS first_activity,
            max(createdon) AS last_activity,
            min(document) AS document
        FROM (
            SELECT 'quote' AS kind, customerid, createdon, quotenumber AS document FROM quotes
            UNION ALL
            SELECT 'order', customerid, createdon, ordernumber FROM salesorders
            UNION ALL
            SELECT 'invoice', customerid, createdon, invoicenumber FROM invoices
        ) AS documents
        GROUP BY customerid
    ) AS e ON e.customerid = c.contactid
) TO $target (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
