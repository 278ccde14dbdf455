-- One row per chosen contact that has a valid contactid, in source order.
-- in: chosen (place), decided    unique by: contactid
SELECT d.contactid
FROM decided AS d
SEMI JOIN chosen AS c ON c.place = d.place
WHERE guid_of(d.contactid) IS NOT NULL
ORDER BY d.place
