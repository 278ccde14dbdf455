-- One row per contact row; all of them count.
-- in: contacts_filtered    unique by: source_row
SELECT *, true AS selected
FROM contacts_filtered
