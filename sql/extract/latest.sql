-- One row per row that changed, as it is now.
-- in: settled    names: key, columns    unique by: the key
SELECT {{columns}}
FROM settled
QUALIFY row_number() OVER (PARTITION BY {{key}} ORDER BY place DESC) = 1
