-- One meaning of blank, length and equal: what the expressions of schemas/text.py mean in Polars.
-- params: $white_space
-- Values whose ends are printable ASCII need no trimming, and that test is ten times faster. The
-- white space is a literal, not a sum of chr(): a macro is copied wherever it stands, and binding
-- pays for every node.
CREATE OR REPLACE MACRO trimmed(x) AS
    CASE
        WHEN ord(x) BETWEEN 33 AND 126 AND ord(substr(x, -1, 1)) BETWEEN 33 AND 126 THEN x
        ELSE nullif(trim(x, $white_space), '')
    END;

CREATE OR REPLACE MACRO utf16_length(x) AS
    2 * length(x) - length(regexp_replace(x, '[\x{10000}-\x{10FFFF}]', '', 'g'));

-- Text of as many bytes as characters is ASCII.
CREATE OR REPLACE MACRO ascii_upper(x) AS
    CASE
        WHEN strlen(x) = length(x) THEN upper(x)
        ELSE translate(x, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
    END;

CREATE OR REPLACE MACRO key_of(x) AS ascii_upper(trimmed(x));

-- A destination key, or its start, as it is compared: SCM takes legal entities in any case.
CREATE OR REPLACE MACRO entity_folded(x) AS
    lower(split_part(x, '/', 1)) || substr(x, length(split_part(x, '/', 1)) + 1);

CREATE OR REPLACE MACRO blank_word(x, words) AS
    CASE WHEN list_contains(words, trimmed(x)) THEN NULL ELSE x END;
