-- How sample values are derived: from the seed and a key alone, so that they are equal in every
-- library version.
CREATE OR REPLACE MACRO sample_hash(seed, kind, block, key) AS
    md5(concat_ws('|', CAST(seed AS VARCHAR), kind, CAST(block AS VARCHAR), CAST(key AS VARCHAR)));

CREATE OR REPLACE MACRO sample_guid(seed, kind, block, key) AS
    CAST(CAST(sample_hash(seed, kind, block, key) AS UUID) AS VARCHAR);

-- 60 bits of a hash, as a number; the other 60, for what must not depend on them.
CREATE OR REPLACE MACRO bits_of(hash) AS CAST('0x' || substr(hash, 1, 15) AS BIGINT);

CREATE OR REPLACE MACRO other_bits_of(hash) AS CAST('0x' || substr(hash, 16, 15) AS BIGINT);

CREATE OR REPLACE MACRO pick(list, bits, shift) AS list[1 + (bits >> shift) % len(list)];

CREATE OR REPLACE MACRO digit36(bits, power) AS
    substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 1 + (bits // power) % 36, 1);

CREATE OR REPLACE MACRO suffix(bits) AS
    digit36(bits, 1) || digit36(bits, 36) || digit36(bits, 1296) || digit36(bits, 46656)
    || digit36(bits, 1679616) || digit36(bits, 60466176);

CREATE OR REPLACE MACRO five_digits(n) AS
    CASE WHEN n < 100000 THEN lpad(CAST(n AS VARCHAR), 5, '0') ELSE CAST(n AS VARCHAR) END;

-- A number as the number sequence gives it, with a suffix out of the hash of the row that it
-- belongs to.
CREATE OR REPLACE MACRO sample_number(prefix, n, bits) AS
    prefix || five_digits(n) || '-' || suffix(bits);

CREATE OR REPLACE MACRO written(text, form) AS
    CASE form
        WHEN 'upper' THEN upper(text)
        WHEN 'lower' THEN lower(text)
        WHEN 'braces' THEN '{' || text || '}'
        WHEN 'braces upper' THEN '{' || upper(text) || '}'
        WHEN 'spaces' THEN '  ' || text || ' '
        ELSE text
    END;

-- A case's value wins over the ordinary one; an empty one is blank.
CREATE OR REPLACE MACRO given(value, ordinary) AS nullif(coalesce(value, ordinary), '');

CREATE OR REPLACE MACRO iso_time(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%SZ');

-- Row n of its table: created 20 seconds after the one before, starting over after some six years.
CREATE OR REPLACE MACRO created(n) AS
    TIMESTAMP '2018-01-02 08:00:00' + to_seconds((n % 9000000) * 20);

CREATE OR REPLACE MACRO modified(n, bits, older) AS
    created(n) + to_days(CAST(2 + bits % 400 - older AS INTEGER));

CREATE OR REPLACE MACRO flag_of(text) AS
    CASE
        WHEN lower(trim(text)) IN ('true', 'yes', '1') THEN true
        WHEN lower(trim(text)) IN ('false', 'no', '0') THEN false
    END;

-- How text is read as the type of its column in Parquet; null where only text can hold it.
CREATE OR REPLACE MACRO choice_of(text) AS TRY_CAST(text AS INTEGER);

CREATE OR REPLACE MACRO whole_of(text) AS TRY_CAST(text AS BIGINT);

CREATE OR REPLACE MACRO money_of(text) AS TRY_CAST(text AS DECIMAL(19, 4));

CREATE OR REPLACE MACRO time_of(text) AS TRY_CAST(text AS TIMESTAMPTZ);
