-- One row: documents of contacts, those of nobody, and those whose contact is not there.
-- in: activity_of (activity.sql), evidence
SELECT
    coalesce(sum(quotes + orders + invoices), 0) AS met,
    coalesce(sum(quotes + orders + invoices) FILTER (WHERE id IS NULL), 0) AS nobodys,
    (
        SELECT coalesce(sum(quotes + orders + invoices), 0)
        FROM evidence
        WHERE source_row IS NULL
    ) AS missing
FROM activity_of
