-- Fills rows_typed with the corrected rows. A column that they lack is null there.
-- in: corrected    names: columns
INSERT INTO rows_typed BY NAME SELECT {{columns}} FROM corrected
