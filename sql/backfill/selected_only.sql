-- One row per contact row: whether the filter lets it through and it was asked for.
-- in: contacts_filtered, only_ids    unique by: source_row
SELECT *, passes_filter AND contactid IN (FROM only_ids) AS selected
FROM contacts_filtered
