-- One row per contact that is the company of another contact, or that stands where an account is missing.
-- in: contacts, accounts    unique by: contactid
WITH wanted AS (
    SELECT DISTINCT c.parentcustomerid AS contactid
    FROM contacts AS c
    ANTI JOIN accounts AS a ON a.accountid = c.parentcustomerid
    WHERE c.parentcustomerid IS NOT NULL
    UNION
    SELECT DISTINCT parentcustomerid FROM contacts
    WHERE parentcustomerid IS NOT NULL AND lookup_type_of(parentcustomeridtype) = 'contact'
)
SELECT c.contactid, min(trimmed(c.msdynce_contactnumber)) AS number
FROM contacts AS c
SEMI JOIN wanted AS w ON w.contactid = c.contactid
WHERE c.isdelete IS NOT TRUE
GROUP BY c.contactid
