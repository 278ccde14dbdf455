-- One row per contact row: whether the filter lets it through, it was asked for and Sales still has
-- it, for what is archived cannot be written.
-- in: contacts_filtered, only_ids    unique by: source_row
SELECT
    *,
    passes_filter AND msft_datastate IS DISTINCT FROM 1 AND contactid IN (FROM only_ids) AS selected
FROM contacts_filtered
