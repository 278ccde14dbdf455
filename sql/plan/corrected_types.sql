-- No row: the columns of the source's own file, with its types.
-- in: source
SELECT * FROM source WHERE false
