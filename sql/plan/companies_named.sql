-- One row per chosen contact row whose company is a name: the name and the number beside it, as
-- they are compared, and the lookup's type.
-- in: contacts_chosen    unique by: source_row
-- The rows are few: nothing may be computed of the others.
WITH these AS MATERIALIZED (
    SELECT
        source_row, "raw:parentcustomerid" AS name, "parentcustomerid.accountnumber" AS number,
        parentcustomeridtype AS type, parentcustomerid AS id
    FROM contacts_chosen
)
SELECT
    source_row,
    name_key(name) AS name,
    key_of(number) AS number_key,
    lookup_type_of(type) AS type
FROM these
WHERE id IS NULL AND is_name(name)
