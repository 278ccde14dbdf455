-- One row per row whose phone is a mail address while its mail is none: its cells stand one column
-- too far to the right.
-- in: the table    names: rows    unique by: source_row
SELECT source_row, telephone1 AS written
FROM {{rows}}
WHERE contains(telephone1, '@') AND NOT contains(emailaddress1, '@')
    AND trimmed(emailaddress1) IS NOT NULL
