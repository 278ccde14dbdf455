-- Adds the contact rows that say that something is deleted, and not what, to the states of rows.
-- in: deletions_without_id, contact_states
INSERT INTO contact_states BY NAME
SELECT source_row, source_file, source_line, 'unreadable' AS state
FROM deletions_without_id
