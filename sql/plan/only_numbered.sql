-- One row per contact that was asked for by its number; null where no contact has the number.
-- A number that several have means all of them.
-- in: only_numbers (number, line), contacts    unique by: number, line, contactid
SELECT DISTINCT
    c.contactid,
    o.number,
    o.line
FROM only_numbers AS o
LEFT JOIN contacts AS c ON key_of(c.msdynce_contactnumber) = key_of(o.number)
ORDER BY o.line, c.contactid
