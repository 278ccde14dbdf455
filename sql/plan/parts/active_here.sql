-- One row per contact of a part that a document names.
-- in: active (active.sql, of all contacts), contacts (of the part)    unique by: contactid
SELECT a.contactid
FROM active AS a
SEMI JOIN contacts AS c ON c.contactid = a.contactid
