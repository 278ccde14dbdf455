-- One row per contact that needs work: codes, columns, what is wrong and what to do, as text.
-- in: needed, findings, codes (code, rank, advice)    params: $unexplained
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
    n.source_file,
    n.source_line,
    concat_ws('; ', coalesce(n.outcome_code, n.outcome), w.codes) AS codes,
    w.columns AS "columns",
    nullif(concat_ws(' ', n.outcome_message,
        array_to_string(list_distinct(list_transform(w.texts, lambda one: one.message)), ' ')), '')
        AS what_is_wrong,
    nullif(concat_ws(' ',
        CASE WHEN n.outcome IS NOT NULL THEN coalesce(c.advice, $unexplained) END,
        array_to_string(list_distinct(list_transform(w.texts, lambda one: one.advice)), ' ')), '')
        AS what_to_do
FROM needed AS n
LEFT JOIN wrong AS w ON w.source_line = n.source_line AND w.source_file = n.source_file
LEFT JOIN codes AS c ON c.code = n.outcome_code
