-- One row per contact row whose id occurs more than once.
-- in: contact_states    unique by: source_row
SELECT source_row FROM contact_states
