-- One row: whether no text at all has the form of a regular expression; an error if it is none.
-- in: nothing    params: $pattern
SELECT regexp_full_match('', $pattern) AS is_blank
