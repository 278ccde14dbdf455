-- One row per business unit, and one for contacts without any.
-- in: given_units (block.units())    params: $seed    unique by: unit
SELECT *, sample_guid($seed, 'unit', 0, unit) AS id
FROM given_units
