-- One row per hash of a column of contacts: a part of them; equal hashes are in the same part.
-- in: hashes (hashes.sql)    names: column    params: $part, $parts
SELECT {{column}} AS hash
FROM hashes
WHERE {{column}} % CAST($parts AS UBIGINT) = CAST($part AS UBIGINT)
