-- One row per contact row: whether the filter lets it through.
-- in: contacts_filtered    unique by: source_row
SELECT *, passes_filter AS selected
FROM contacts_filtered
