-- One row per planned row that updates a record, in source order: what SCM has under its key.
-- in: planned (a task's rows, with file_row_number), scm_rows (dataAreaId and the columns, as text,
--     with file_row_number)
-- names: key, columns
-- unique by: destination_key
-- A page that was read while rows moved may have a row twice; the first one counts.
WITH wanted AS (
    SELECT
        file_row_number AS "row",
        destination_key,
        key_of(concat_ws('/', legal_entity, {{key}})) AS row_key
    FROM planned
    WHERE action = 'update'
),
there AS (
    SELECT
        {{columns}},
        key_of(concat_ws('/', dataAreaId, {{key}})) AS row_key,
        file_row_number AS nth
    FROM scm_rows
),
first_there AS (
    SELECT * EXCLUDE (nth)
    FROM there AS t
    SEMI JOIN wanted AS w ON w.row_key = t.row_key
    QUALIFY row_number() OVER (PARTITION BY row_key ORDER BY nth) = 1
)
SELECT w.destination_key, t.* EXCLUDE (row_key)
FROM wanted AS w
JOIN first_there AS t ON t.row_key = w.row_key
ORDER BY w."row"
