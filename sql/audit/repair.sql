-- One row per contact row that a person must correct, as it was read.
-- in: contacts_read, needed    names: columns    unique by: nothing
SELECT {{columns}}
FROM contacts_read AS s
SEMI JOIN (SELECT * FROM needed WHERE has_id) AS n
    ON n.source_line = s.source_line AND n.source_file = s.source_file
