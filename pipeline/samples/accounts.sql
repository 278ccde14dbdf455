-- One row per account row of the blocks from $first to before $last, and what other tables need of
-- it. Every value is text until the last step.
-- in: account_slots, cultures, units, currencies    names: columns
-- params: $seed, $first, $last, $size, $cultures, $streets    unique by: row
WITH numbered AS (
    SELECT b.block, s.*,
           b.block * $size + s.position AS row,
           b.block * $size + s.owner AS n,
           1000 + b.block * $size + coalesce(s.number_owner, s.owner) AS serial,
           sample_hash($seed, 'account values', b.block, s.owner) AS hash,
           bits_of(hash) AS bits,
           other_bits_of(CASE
               WHEN s.number_owner IS NULL THEN hash
               ELSE sample_hash($seed, 'account values', b.block, s.number_owner)
           END)
               AS number_bits
    FROM (SELECT unnest(range(CAST($first AS BIGINT), CAST($last AS BIGINT))) AS block) b
    CROSS JOIN account_slots s
),
placed AS (
    SELECT r.*, c.country, c.phone, c.currency AS currency_key,
           coalesce(r.unit, c.unit) AS unit_key,
           pick(c.places, bits, 16) AS place
    FROM numbered r
    JOIN cultures c ON c.culture = r.bits % $cultures
),
made AS (
    SELECT
        row, block, owner, position, same, ordinary, in_scm, unit_key, currency_key,
        replace(party_number, '{n}', five_digits(serial)) AS party_number,
        sample_guid($seed, 'account', block, owner) AS accountid,
        written(
            CASE
                WHEN number_text IS NULL THEN sample_number('ACC-', serial, number_bits)
                ELSE nullif(number_text, '')
            END, number_form) AS accountnumber,
        placed.name,
        phone || lpad(CAST(bits % 100 AS VARCHAR), 2, '0') AS telephone1,
        'https://www.example.com/companies/' || n AS websiteurl,
        CAST(1 + bits % 200 AS VARCHAR) || ' ' || pick($streets, bits, 44) AS address1_line1,
        nullif(place[1], '') AS address1_city,
        nullif(place[2], '') AS address1_stateorprovince,
        nullif(place[3], '') AS address1_postalcode,
        country AS address1_country,
        CAST((bits % 40) * 2500 AS VARCHAR) || '.0000' AS creditlimit,
        currencies.id AS _transactioncurrencyid_value,
        CASE WHEN inactive THEN '1' ELSE '0' END AS statecode,
        CASE WHEN inactive THEN '2' ELSE '1' END AS statuscode,
        units.id AS _owningbusinessunit_value,
        iso_time(created(n * 6)) AS createdon,
        iso_time(modified(n * 6, bits, older)) AS modifiedon,
        CAST(500000 + n * 4 - older AS VARCHAR) AS versionnumber,
        CASE WHEN deleted THEN 'true' ELSE 'false' END AS isdelete
    FROM placed
    LEFT JOIN currencies ON currencies.currency = currency_key
    LEFT JOIN units ON units.unit = unit_key
)
SELECT
    row, block, owner, in_scm, unit_key, currency_key, same, ordinary, position, party_number,
    {{columns}}
FROM made
