-- One row per table of documents some of whose customers are filled and cannot be read: how many,
-- and the first row that has one.
-- in: activity    unique by: document
SELECT document, count(*) AS n, min(unread_row) AS first
FROM activity
WHERE unread_row IS NOT NULL
GROUP BY document
