-- One row per contact row that its id or its number sets apart from the others.
-- in: contact_states, numbers    unique by: source_row
SELECT
    coalesce(s.source_row, n.source_row) AS source_row,
    s.state,
    n.owners,
    n.others,
    n.is_account_number
FROM contact_states AS s
FULL JOIN numbers AS n ON n.source_row = s.source_row
