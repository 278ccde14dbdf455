-- One row per contact with a text, whatever its case, in number, name, mail, or in its company's
-- number or name; also the one with this contactid.
-- in: a view of decided, of_person (of the same contacts), companies    names: chosen
-- params: $text (in lower case)    unique by: place
SELECT place
FROM {{chosen}}
WHERE contactid = $text
    OR contains(lower(contact_number), $text)
    OR contains(lower(company_key), $text)
UNION
SELECT place
FROM of_person
UNION
SELECT c.place
FROM {{chosen}} AS c
SEMI JOIN (
    SELECT accountid
    FROM companies
    WHERE contains(lower(name), $text) OR contains(lower(accountnumber), $text)
) AS a ON a.accountid = c.company_id
