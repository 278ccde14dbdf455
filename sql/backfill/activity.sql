-- One row per customer of a quote, an order or an invoice that counts: how many, when, and one
-- document's number.
-- in: quotes_counted, salesorders_counted, invoices_counted, accounts
-- params: $statuses (all, when empty)
-- unique by: id (null: nobody's documents)
-- Left out: documents of accounts; a customer of no known type is an account when there is one of
-- that id.
WITH documents AS (
    SELECT
        1 AS kind,
        id_text("raw:customerid") AS id,
        lookup_type_of(customeridtype) AS type,
        createdon,
        trimmed(quotenumber) AS document
    FROM quotes_counted
    WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
    UNION ALL
    SELECT 2, id_text("raw:customerid"), lookup_type_of(customeridtype), createdon,
        trimmed(ordernumber)
    FROM salesorders_counted
    WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
    UNION ALL
    SELECT 3, id_text("raw:customerid"), lookup_type_of(customeridtype), createdon,
        trimmed(invoicenumber)
    FROM invoices_counted
    WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
)
SELECT
    d.id,
    count(*) FILTER (WHERE d.kind = 1) AS quotes,
    count(*) FILTER (WHERE d.kind = 2) AS orders,
    count(*) FILTER (WHERE d.kind = 3) AS invoices,
    min(d.createdon) AS first_activity,
    max(d.createdon) AS last_activity,
    min(d.document) AS document
FROM documents AS d
ANTI JOIN accounts AS a ON a.accountid = CASE WHEN d.type IS NULL THEN TRY_CAST(d.id AS UUID) END
WHERE d.type IS NULL OR d.type = 'contact' OR d.id IS NULL
GROUP BY d.id
