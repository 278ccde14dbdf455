-- One row per row of an export of customers that SCM still has.
-- in: customers_marked (the export, with isdelete and its place)
-- The last row of a customer counts: by versionnumber, if all of them have one, else by place.
WITH keyed AS (
    SELECT
        *,
        key_of(CustomerAccount) AS account_key,
        coalesce(key_of(dataAreaId), '') AS legal_entity_key,
        CASE WHEN whole_of(versionnumber) > 0 THEN whole_of(versionnumber) END AS version
    FROM customers_marked
),
dated AS (
    SELECT
        *,
        CASE
            WHEN bool_and(version IS NOT NULL) OVER (PARTITION BY account_key, legal_entity_key)
                THEN version
        END AS counted
    FROM keyed
),
last_rows AS (
    SELECT account_key, legal_entity_key, isdelete
    FROM dated
    QUALIFY row_number() OVER (
        PARTITION BY account_key, legal_entity_key ORDER BY counted DESC NULLS LAST, place DESC
    ) = 1
)
SELECT k.CustomerAccount, k.PartyNumber, k.dataAreaId
FROM keyed AS k
LEFT JOIN last_rows AS l
    ON l.account_key = k.account_key AND l.legal_entity_key = k.legal_entity_key
WHERE k.isdelete IS NOT TRUE AND l.isdelete IS NOT TRUE
ORDER BY k.place
