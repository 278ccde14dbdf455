-- How the marks of replicas are read (schemas/marks.py). Each macro gives null for blank and for
-- what cannot be read.
-- params: $deleted_words, $former_words, $live_words
-- A date at the end of time stands for never; a whole number counts seconds or less since 1970.
CREATE OR REPLACE MACRO has_ended(moment, written) AS
    CASE
        WHEN moment IS NOT NULL THEN moment < TIMESTAMPTZ '9000-01-01 00:00:00+00'
        WHEN TRY_CAST(trimmed(written) AS DOUBLE) = 0 THEN false
        WHEN TRY_CAST(trimmed(written) AS DOUBLE) >= 100000000 THEN true
    END;

CREATE OR REPLACE MACRO change_of(written) AS
    CASE
        WHEN list_contains($deleted_words, lower(trimmed(written))) THEN 'deleted'
        WHEN list_contains($former_words, lower(trimmed(written))) THEN 'former'
        WHEN list_contains($live_words, lower(trimmed(written))) THEN 'live'
    END;
