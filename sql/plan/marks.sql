-- One row per contact row that its id, its number or its cells set apart from the others.
-- in: contact_states, numbers, misplaced    unique by: source_row
SELECT
    coalesce(s.source_row, n.source_row, m.source_row) AS source_row,
    s.state,
    n.owners,
    n.others,
    n.is_account_number,
    m.column_name AS misplaced_column,
    m.written AS misplaced_value
FROM contact_states AS s
FULL JOIN numbers AS n ON n.source_row = s.source_row
FULL JOIN misplaced AS m ON m.source_row = coalesce(s.source_row, n.source_row)
