-- One row per contact that may be the company of another contact: it is, or it stands where an
-- account is missing.
-- in: suspects (rows of contacts), contact_states    unique by: contactid
SELECT c.contactid, min(trimmed(c.msdynce_contactnumber)) AS number
FROM suspects AS c
ANTI JOIN (SELECT source_row FROM contact_states WHERE state IN ('superseded', 'deleted')) AS gone
    ON gone.source_row = c.source_row
WHERE c.isdelete IS NOT TRUE AND c.contactid IS NOT NULL
GROUP BY c.contactid
