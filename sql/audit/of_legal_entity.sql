-- The contacts of one legal entity; those without one for a blank.
-- in: a view of decided    names: chosen    params: $legal_entity    unique by: place
SELECT *
FROM {{chosen}}
WHERE coalesce(legal_entity, '') = $legal_entity
