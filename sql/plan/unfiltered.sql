-- One row per contact row; no filter keeps any of them back.
-- in: contacts_resolved    unique by: source_row
SELECT *, true AS passes_filter
FROM contacts_resolved
