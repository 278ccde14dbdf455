-- One row per customer of a quote, an order or an invoice that counts: how many, when, and one document's number.
-- in: quotes, salesorders, invoices, accounts    params: $statuses (all, when empty)    unique by: id (null: nobody's documents)
-- A customer that is an account has of_account alone; one of no known type is an account when there is one of that id.
WITH documents AS (
    SELECT
        1 AS kind, id_text("raw:customerid") AS id, lookup_type_of(customeridtype) AS type, createdon,
        trimmed(quotenumber) AS document
    FROM quotes
    WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
    UNION ALL
    SELECT 2, id_text("raw:customerid"), lookup_type_of(customeridtype), createdon, trimmed(ordernumber)
    FROM salesorders
    WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
    UNION ALL
    SELECT 3, id_text("raw:customerid"), lookup_type_of(customeridtype), createdon, trimmed(invoicenumber)
    FROM invoices
    WHERE isdelete IS NOT TRUE AND (len($statuses) = 0 OR list_contains($statuses, statecode))
),
told AS (
    SELECT d.*, a.accountid IS NOT NULL OR d.type IS NOT DISTINCT FROM 'account' AS of_account
    FROM documents AS d
    LEFT JOIN accounts AS a ON a.accountid = CASE WHEN d.type IS NULL THEN TRY_CAST(d.id AS UUID) END
)
SELECT
    id,
    count(*) FILTER (WHERE kind = 1 AND NOT of_account) AS quotes,
    count(*) FILTER (WHERE kind = 2 AND NOT of_account) AS orders,
    count(*) FILTER (WHERE kind = 3 AND NOT of_account) AS invoices,
    min(createdon) FILTER (WHERE NOT of_account) AS first_activity,
    max(createdon) FILTER (WHERE NOT of_account) AS last_activity,
    min(document) FILTER (WHERE NOT of_account) AS document,
    count(*) FILTER (WHERE of_account) AS of_account
FROM told
GROUP BY id
