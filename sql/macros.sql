-- How text of a source is read. Each macro gives null for blank and for what cannot be read; `unreadable` tells them apart.
CREATE OR REPLACE MACRO hyphenated(x) AS
    strlen(x) = 36 AND substr(x, 9, 1) = '-' AND substr(x, 14, 1) = '-' AND substr(x, 19, 1) = '-'
    AND substr(x, 24, 1) = '-';

CREATE OR REPLACE MACRO bare_guid(x) AS
    CASE WHEN strlen(x) = 38 AND starts_with(x, '{') AND ends_with(x, '}') THEN substr(x, 2, 36) ELSE x END;

CREATE OR REPLACE MACRO written_guid(x) AS
    CASE WHEN hyphenated(bare_guid(trimmed(x))) THEN TRY_CAST(bare_guid(trimmed(x)) AS UUID) END;

-- The first branches prove the common forms at a fraction of the cost of the last.
CREATE OR REPLACE MACRO guid_of(x) AS
    CASE
        WHEN CAST(TRY_CAST(x AS UUID) AS VARCHAR) = x THEN TRY_CAST(x AS UUID)
        WHEN CAST(TRY_CAST(x AS UUID) AS VARCHAR) = lower(x) THEN TRY_CAST(x AS UUID)
        ELSE written_guid(x)
    END;

CREATE OR REPLACE MACRO two_options_of(x) AS
    CASE lower(trimmed(x))
        WHEN '1' THEN true WHEN 'true' THEN true WHEN 'yes' THEN true
        WHEN '0' THEN false WHEN 'false' THEN false WHEN 'no' THEN false
    END;

CREATE OR REPLACE MACRO lookup_type_of(x) AS
    CASE lower(trimmed(x))
        WHEN 'account' THEN 'account' WHEN 'accounts' THEN 'account' WHEN '1' THEN 'account'
        WHEN 'contact' THEN 'contact' WHEN 'contacts' THEN 'contact' WHEN '2' THEN 'contact'
    END;

CREATE OR REPLACE MACRO timestamp_of(x) AS
    coalesce(
        TRY_CAST(trimmed(x) AS TIMESTAMPTZ),
        CAST(try_strptime(trimmed(x), ['%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %H:%M', '%m/%d/%Y']) AS TIMESTAMPTZ)
    );

CREATE OR REPLACE MACRO plain_decimal(x) AS
    CASE WHEN contains(CAST(x AS VARCHAR), '.') THEN rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.') ELSE CAST(x AS VARCHAR) END;

CREATE OR REPLACE MACRO unit_key(x) AS
    CASE WHEN guid_of(x) IS NOT NULL THEN CAST(guid_of(x) AS VARCHAR) ELSE trimmed(x) END;

CREATE OR REPLACE MACRO in_legal_entity(entities, legal_entity) AS
    list_contains(entities, key_of(legal_entity));
