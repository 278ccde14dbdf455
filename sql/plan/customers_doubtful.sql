-- One row: how many rows of an export of customers may be deleted, and nothing says which.
-- in: customers_marked (the export, with isdelete and raw:isdelete)
SELECT count(*) FILTER (
    WHERE (isdelete IS NULL AND trimmed("raw:isdelete") IS NOT NULL)
        OR (isdelete AND trimmed(CustomerAccount) IS NULL)
) AS doubtful
FROM customers_marked
