-- One row per quote, order or invoice (by $kind) of the contacts and accounts of a chunk, and in
-- each block two that name no customer: one whose id is nowhere, one without.
-- in: contact_rows, account_rows, currencies    names: columns
-- params: $seed, $kind, $prefix, $first, $last    unique by: the id, row
WITH customers AS (
    SELECT block, 'contact' AS type, owner AS key,
           sample_guid($seed, 'contact', block, owner) AS customer, currency_key
    FROM contact_rows
    WHERE NOT same
      AND CASE $kind WHEN 'quote' THEN quote WHEN 'salesorder' THEN orders ELSE invoice END
    UNION ALL
    SELECT block, 'account', owner, accountid, currency_key
    FROM account_rows
    WHERE ordinary
      AND position % 7 = CASE $kind WHEN 'quote' THEN 1 WHEN 'salesorder' THEN 2 ELSE 3 END
    UNION ALL
    SELECT block, 'none', 0, sample_guid($seed, 'nobody', block, $kind), 'EUR'
    FROM (SELECT unnest(range(CAST($first AS BIGINT), CAST($last AS BIGINT))) AS block)
    UNION ALL
    SELECT block, 'none', 1, NULL, 'EUR'
    FROM (SELECT unnest(range(CAST($first AS BIGINT), CAST($last AS BIGINT))) AS block)
),
documents AS (
    SELECT *,
           CASE type WHEN 'contact' THEN 0 WHEN 'account' THEN 1000 ELSE 2000 END + key AS place,
           sample_hash($seed, $kind, block, concat_ws('|', type, CAST(key AS VARCHAR))) AS hash,
           bits_of(hash) AS bits
    FROM customers
),
made AS (
    SELECT
        CAST(CAST(hash AS UUID) AS VARCHAR) AS id,
        sample_number($prefix, block * 2002 + place, other_bits_of(hash)) AS number,
        customer AS _customerid_value,
        CASE WHEN customer IS NOT NULL THEN CASE type WHEN 'none' THEN 'contact' ELSE type END END
            AS "_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname",
        CAST((bits % 4000) * 25 AS VARCHAR) || '.0000' AS totalamount,
        currencies.id AS _transactioncurrencyid_value,
        CAST(bits % 3 AS VARCHAR) AS statecode,
        iso_time(created(block * 1000 + place) + to_days(CAST(400 + bits % 700 AS INTEGER)))
            AS createdon,
        iso_time(created(block * 1000 + place) + to_days(CAST(402 + bits % 900 AS INTEGER)))
            AS modifiedon,
        CAST(2000000 + block * 2002 + place AS VARCHAR) AS versionnumber,
        block * 2002 + place AS row
    FROM documents
    LEFT JOIN currencies ON currencies.currency = currency_key
)
SELECT row, {{columns}}
FROM made
