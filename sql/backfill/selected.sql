-- One row per contact row: whether the filter lets it through and Sales still has it: what is
-- archived cannot be written.
-- in: contacts_filtered    unique by: source_row
SELECT *, passes_filter AND msft_datastate IS DISTINCT FROM 1 AS selected
FROM contacts_filtered
