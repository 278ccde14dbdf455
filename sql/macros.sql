-- How text of a source is read. Each macro gives null for blank and for what cannot be read;
-- `unreadable` tells them apart. A macro's body is copied wherever the macro stands, so a parameter
-- is named as seldom as speed allows; where a rare branch needs it often, a lambda gets it once.
-- The forms are those of schemas/values.py.
-- params: $written_guid, $no_guid, $flag_words, $flag_values, $lookup_words, $lookup_types,
-- $whole_number, $pointed_amount, $evident_amount, $iso_time, $year_first, $short_time,
-- $dotted_time, $net_time, $epoch_time, $slashed_time
CREATE OR REPLACE MACRO written_guid(x) AS
    CASE
        WHEN regexp_full_match(x, $written_guid)
            THEN nullif(CAST(trim(x, '{}') AS UUID), CAST($no_guid AS UUID))
    END;

-- Text of 36 characters with these dashes is a GUID if the others are hex digits, which the cast
-- proves at a fraction of the cost of a pattern. A cast alone would take other spellings, too.
CREATE OR REPLACE MACRO guid_of(x) AS
    CASE
        WHEN x = $no_guid THEN NULL
        WHEN x LIKE '________-____-____-____-____________' THEN TRY_CAST(x AS UUID)
        ELSE written_guid(trimmed(x))
    END;

-- An id as it was written; the one that stands for none is blank.
CREATE OR REPLACE MACRO given_id(x) AS
    CASE WHEN prefix(x, $no_guid) OR prefix(x, '{' || $no_guid) THEN NULL ELSE x END;

-- Hashes of text that is equal where the ids, or the keys, are; text of 36 characters is a GUID as
-- it stands, or none.
CREATE OR REPLACE MACRO id_hash(x) AS
    CASE
        WHEN strlen(x) = 36 THEN hash(lower(x))
        WHEN guid_of(x) IS NOT NULL THEN hash(CAST(guid_of(x) AS VARCHAR))
    END;

-- Text that is equal where the ids are; for joins of large tables, where reading GUIDs would cost
-- more than the join.
CREATE OR REPLACE MACRO id_text(x) AS
    CASE WHEN strlen(x) = 36 THEN lower(x) ELSE CAST(guid_of(x) AS VARCHAR) END;

CREATE OR REPLACE MACRO number_hash(x) AS
    CASE WHEN trimmed(x) IS NOT NULL THEN hash(upper(trimmed(x))) END;

-- The words that nearly all sources use come first.
CREATE OR REPLACE MACRO two_options_of(x) AS
    CASE
        WHEN x IN ('1', 'true') THEN true
        WHEN x IN ('0', 'false') THEN false
        ELSE list_extract($flag_values, list_position($flag_words, lower(trimmed(x))))
    END;

CREATE OR REPLACE MACRO lookup_type_of(x) AS
    CASE
        WHEN x = 'account' THEN 'account'
        WHEN x = 'contact' THEN 'contact'
        ELSE list_extract($lookup_types, list_position($lookup_words, lower(trimmed(x))))
    END;

-- The first branch proves the common form at a fraction of the cost. The pattern keeps out
-- decimals, which a cast would round.
CREATE OR REPLACE MACRO whole_of(x) AS
    CASE
        WHEN CAST(TRY_CAST(x AS BIGINT) AS VARCHAR) = x THEN TRY_CAST(x AS BIGINT)
        ELSE TRY_CAST(regexp_extract(trimmed(x), '^(?:' || $whole_number || ')$') AS BIGINT)
    END;

-- A whole number that a data frame wrote with .0, as text without it.
CREATE OR REPLACE MACRO without_fraction(x) AS regexp_replace(x, '\.0$', '');

-- Floating point as a whole number, if it is one.
CREATE OR REPLACE MACRO whole_of_number(x) AS CASE WHEN x = floor(x) THEN TRY_CAST(x AS BIGINT) END;

-- A time without blanks around it. `day_first` of a column: null when it does not show whether the
-- day or the month comes first.
CREATE OR REPLACE MACRO written_time(x, day_first) AS
    CASE
        WHEN regexp_full_match(x, $iso_time)
            THEN TRY_CAST(
                regexp_replace(replace(upper(x), 'UTC', 'Z'), ' ([+-]|Z)', '\1') AS TIMESTAMPTZ
            )
        WHEN regexp_full_match(x, $year_first)
            THEN TRY_CAST(replace(x, '/', '-') AS TIMESTAMPTZ)
        WHEN regexp_full_match(x, $short_time)
            THEN CAST(
                try_strptime(
                    regexp_replace(
                        regexp_replace(
                            x, '^([0-9]+)[^0-9]+([0-9]+)[^0-9]+([0-9]+)\.?(,? +|$)', '\1-\2-\3 '
                        ),
                        '([0-9])[.]([0-9])', '\1:\2', 'g'
                    ),
                    ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%Y-%m-%d ']
                ) AS TIMESTAMPTZ
            )
        WHEN regexp_full_match(x, $dotted_time)
            THEN CAST(
                try_strptime(
                    regexp_replace(
                        regexp_replace(
                            x, '^([0-9]+)\. ?([0-9]+)\. ?([0-9]+)\.?(,? +|$)', '\1/\2/\3 '
                        ),
                        '([0-9])[.]([0-9])', '\1:\2', 'g'
                    ),
                    ['%d/%m/%Y %H:%M:%S', '%d/%m/%Y %H:%M', '%d/%m/%Y ']
                ) AS TIMESTAMPTZ
            )
        WHEN regexp_full_match(x, $net_time)
            THEN CAST(
                epoch_ms(TRY_CAST(regexp_extract(x, '-?[0-9]+') AS BIGINT)) AS TIMESTAMPTZ
            )
        WHEN regexp_full_match(x, $epoch_time)
            THEN CAST(make_timestamp(TRY_CAST(rpad(x, 16, '0') AS BIGINT)) AS TIMESTAMPTZ)
        WHEN day_first IS NOT NULL AND regexp_full_match(x, $slashed_time)
            THEN CAST(
                try_strptime(
                    regexp_replace(
                        regexp_replace(replace(replace(x, '-', '/'), '.', ':'), ',? +', ' '),
                        '[ \x{a0}\x{202f}]?([AaPp][Mm])$', ' \1'
                    ),
                    CASE
                        WHEN day_first
                            THEN [
                                '%d/%m/%Y %I:%M:%S %p', '%d/%m/%Y %H:%M:%S', '%d/%m/%Y %I:%M %p',
                                '%d/%m/%Y %H:%M', '%d/%m/%Y'
                            ]
                        ELSE [
                            '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p',
                            '%m/%d/%Y %H:%M', '%m/%d/%Y'
                        ]
                    END
                ) AS TIMESTAMPTZ
            )
    END;

-- The first branch is the form of the Web API, at a tenth of the cost of a pattern.
CREATE OR REPLACE MACRO timestamp_of(x, day_first) AS
    CASE
        WHEN x LIKE '____-__-__T__:__:__Z' AND ord(x) BETWEEN 49 AND 57
            AND substr(x, 12, 2) < '24' AND ord(substr(x, 19, 1)) >= 48
            THEN TRY_CAST(x AS TIMESTAMPTZ)
        WHEN x IS NOT NULL
            THEN list_extract(
                list_transform([trimmed(x)], lambda written: written_time(written, day_first)), 1
            )
    END;

-- `pointed`: the column shows that the point is the decimal sign. The first branch has what needs
-- no rewriting.
CREATE OR REPLACE MACRO amount_of(x, pointed) AS
    CASE
        WHEN regexp_full_match(x, '[0-9]+(\.([0-9]{1,2}|[0-9]{4,}))?') THEN x
        WHEN regexp_full_match(
            trimmed(x), CASE WHEN pointed THEN $pointed_amount ELSE $evident_amount END
        )
            THEN CASE WHEN regexp_matches(trimmed(x), '[-(]') THEN '-' ELSE '' END
                || regexp_replace(trimmed(x), '[^0-9.]', '', 'g')
    END;

CREATE OR REPLACE MACRO plain_decimal(x) AS
    CASE
        WHEN contains(CAST(x AS VARCHAR), '.') THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.')
        ELSE CAST(x AS VARCHAR)
    END;

-- Floating point in its shortest form, without an exponent. NaN is what data frames write where
-- there is no value; it is known by its text, for a file's statistics leave it out.
CREATE OR REPLACE MACRO plain_float(x) AS
    CASE
        WHEN CAST(x AS VARCHAR) = 'nan' THEN NULL
        WHEN contains(CAST(x AS VARCHAR), 'e-') THEN plain_decimal(TRY_CAST(x AS DECIMAL(38, 10)))
        WHEN contains(CAST(x AS VARCHAR), 'e')
            THEN coalesce(CAST(TRY_CAST(x AS DECIMAL(38, 0)) AS VARCHAR), CAST(x AS VARCHAR))
        ELSE plain_decimal(x)
    END;

CREATE OR REPLACE MACRO unit_key(x) AS
    CASE
        WHEN CAST(TRY_CAST(x AS UUID) AS VARCHAR) = x THEN x
        ELSE coalesce(CAST(guid_of(x) AS VARCHAR), trimmed(x))
    END;

-- Text in the order in which SQL Server compares ids: of a GUID in lower case, its last bytes
-- first.
CREATE OR REPLACE MACRO guid_order(x) AS
    substr(x, 25, 12) || substr(x, 20, 4)
    || substr(x, 17, 2) || substr(x, 15, 2) || substr(x, 12, 2) || substr(x, 10, 2)
    || substr(x, 7, 2) || substr(x, 5, 2) || substr(x, 3, 2) || substr(x, 1, 2);

CREATE OR REPLACE MACRO as_text(x) AS CAST(x AS VARCHAR);

-- The name of a record as it is compared with others.
CREATE OR REPLACE MACRO name_key(x) AS lower(nfc_normalize(trimmed(x)));

-- Text in place of an id that is none and does not look like a damaged one, or like two of them.
CREATE OR REPLACE MACRO is_name(x) AS
    trimmed(x) IS NOT NULL AND NOT regexp_full_match(trimmed(x), '[{}()0-9a-fA-F /-]{20,}');

-- The run that a file of a run folder's rows belongs to: <run>/rows/<task>/<file>.
CREATE OR REPLACE MACRO run_of_file(x) AS
    regexp_extract(x, '([^/\\]+)[/\\]rows[/\\][^/\\]+[/\\][^/\\]+$', 1);
