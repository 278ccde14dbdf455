-- One row per extracted row, in the order in which SQL Server compares ids.
-- in: extracted    names: key    unique by: nothing
SELECT *
FROM extracted
ORDER BY guid_order({{key}})
