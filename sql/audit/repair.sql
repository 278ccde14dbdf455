-- One row per contact row that a person must correct, as it was read, with what is wrong with it.
-- in: contacts_read, needed, told    names: columns    unique by: nothing
WITH told_here AS (
    SELECT
        t.source_file AS told_file,
        t.source_line AS told_line,
        t.codes AS p2c_codes,
        t."columns" AS p2c_columns,
        t.what_is_wrong AS p2c_what_is_wrong,
        t.what_to_do AS p2c_what_to_do
    FROM told AS t
    SEMI JOIN (SELECT * FROM needed WHERE has_id) AS n
        ON n.source_line = t.source_line AND n.source_file = t.source_file
)
SELECT p2c_codes, p2c_columns, p2c_what_is_wrong, p2c_what_to_do, {{columns}}
FROM contacts_read AS s
JOIN told_here ON told_line = s.source_line AND told_file = s.source_file
