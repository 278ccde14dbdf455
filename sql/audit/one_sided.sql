-- One row: how many rows the larger of two tables has, how many are in one of them only, and a
-- contact of those. Equal rows are paired one by one; a row that differs counts once.
-- in: before, after (contactid, and equal columns)
WITH
lost AS (FROM before EXCEPT ALL FROM after),
won AS (FROM after EXCEPT ALL FROM before)
SELECT
    greatest((SELECT count(*) FROM before), (SELECT count(*) FROM after)) AS total,
    greatest((SELECT count(*) FROM lost), (SELECT count(*) FROM won)) AS differing,
    coalesce((SELECT min(contactid) FROM lost), (SELECT min(contactid) FROM won)) AS example
