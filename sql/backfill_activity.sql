-- One row per contact that is the customer of a quote, an order or an invoice: how many, when, and one document's number.
-- in: documents (kind, contactid, createdon, document)    unique by: contactid
SELECT
    contactid,
    count(*) FILTER (WHERE kind = 'quote') AS quotes,
    count(*) FILTER (WHERE kind = 'order') AS orders,
    count(*) FILTER (WHERE kind = 'invoice') AS invoices,
    min(createdon) AS first_activity,
    max(createdon) AS last_activity,
    min(document) AS document
FROM documents
GROUP BY contactid
