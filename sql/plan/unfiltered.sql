-- One row per contact row; no filter keeps any of them back.
-- in: contacts    unique by: source_row
SELECT *, true AS passes_filter
FROM contacts
