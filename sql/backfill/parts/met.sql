-- One row per customer of documents that is a contact of a part.
-- in: activity_of (activity.sql, of the part)    unique by: id
SELECT id FROM activity_of
