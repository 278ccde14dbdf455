-- One row per contact row: its state among the rows of one id.
-- in: contacts_selected (contacts, selected), contact_states    unique by: source_row
SELECT
    c.*,
    id_text(c."raw:contactid") AS id,
    trimmed(c.msdynce_contactnumber) AS number,
    coalesce(s.state, CASE WHEN c.isdelete THEN 'deleted' ELSE 'current' END) AS state
FROM contacts_selected AS c
LEFT JOIN contact_states AS s ON s.source_row = c.source_row
