-- One row per contact row of a part: what side tables may be joined by.
-- in: contacts_filtered (of the part)    unique by: source_row
SELECT contactid, parentcustomerid, id_text("raw:contactid") AS id
FROM contacts_filtered
