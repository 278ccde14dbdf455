-- What an export has of the contacts that a backfill changed; of several rows with one id the
-- current one.
-- in: candidates, backfilled (a backfill's rows)    unique by: contactid
SELECT
    c.id AS contactid,
    c.number AS msdynce_contactnumber,
    c.msdynce_isactivecustomer,
    c.msdynce_iscompanyanaccount
FROM candidates AS c
SEMI JOIN (SELECT contactid FROM backfilled WHERE outcome = 'written') AS b ON b.contactid = c.id
WHERE c.state = 'current'
