-- Removes accounts whose cells stand in wrong columns: their number may be something else.
-- in: misplaced, accounts_declared, accounts
DELETE FROM accounts
WHERE accountid IN (
    SELECT a.accountid
    FROM accounts_declared AS a
    SEMI JOIN misplaced AS m ON m.source_row = a.source_row
)
