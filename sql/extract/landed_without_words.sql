-- One row per row of a landed table: a cell that is nothing but one of some words is blank.
-- in: the table as it was written    names: written, texts
-- params: $words, $texts (its columns of text, as in the names)    unique by: source_row
SELECT * EXCLUDE ({{texts}}), blank_word(COLUMNS(lambda name: list_contains($texts, name)), $words)
FROM {{written}}
