-- One row per contact that needs work in Sales, by owner: what is wrong, what to do, a link to the
-- record.
-- in: needed, findings, codes (code, rank, advice), owners (source_file, source_line, ownerid)
-- params: $link
-- unique by: source_file, source_line
WITH wrong AS (
    SELECT
        f.source_file,
        f.source_line,
        string_agg(DISTINCT f.code, '; ' ORDER BY f.code) AS codes,
        string_agg(DISTINCT coalesce(f."column", f.destination), '; '
            ORDER BY coalesce(f."column", f.destination)) AS columns,
        list(DISTINCT {'rank': c.rank, 'message': f.message, 'advice': c.advice}
            ORDER BY {'rank': c.rank, 'message': f.message, 'advice': c.advice}) AS texts
    FROM findings AS f
    SEMI JOIN needed AS n ON n.source_line = f.source_line AND n.source_file = f.source_file
        AND n.contactid = f.contactid
    LEFT JOIN codes AS c ON c.code = f.code
    WHERE f.severity <> 'warning'
    GROUP BY f.source_file, f.source_line
)
SELECT
    o.ownerid AS owner,
    CASE WHEN n.has_id THEN $link || n.contactid END AS link,
    n.contactid,
    n.contact_number,
    n.decision,
    coalesce(w.codes, n.outcome_code, n.outcome) AS codes,
    w.columns AS "columns",
    coalesce(
        array_to_string(list_distinct(list_transform(w.texts, lambda one: one.message)), ' '),
        n.outcome_message
    ) AS what_is_wrong,
    array_to_string(list_distinct(list_transform(w.texts, lambda one: one.advice)), ' ')
        AS what_to_do,
    n.source_file,
    n.source_line
FROM needed AS n
LEFT JOIN wrong AS w ON w.source_line = n.source_line AND w.source_file = n.source_file
LEFT JOIN owners AS o ON o.source_line = n.source_line AND o.source_file = n.source_file
ORDER BY o.ownerid NULLS LAST, n.source_file, n.source_line
