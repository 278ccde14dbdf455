-- One row per text, in their order: its MD5.
-- in: texts (text)    unique by: nothing
SELECT md5(text) AS h
FROM texts
