-- One row per number sequence: its prefix and its next free number.
-- in: nothing    params: $seed, $accounts, $contacts    unique by: entity
SELECT prefix AS key, entity, next, sample_guid($seed, 'counter', 0, entity) AS id
FROM (
    VALUES ('account', 'ACC', $accounts), ('contact', 'CON', $contacts)
) AS sequences(entity, prefix, next)
