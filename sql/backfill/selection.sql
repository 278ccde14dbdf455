-- One row: whether there are contacts, and whether some of them are selected.
-- in: candidates    unique by: (one row)
WITH counted AS (
    SELECT selected FROM candidates WHERE state NOT IN ('superseded', 'deleted', 'unreadable')
)
SELECT EXISTS (FROM counted) AS has_contacts, EXISTS (FROM counted WHERE selected) AS has_selected
