-- One row per chosen row whose id occurs more than once among them.
-- in: the table's chosen rows    names: chosen, key    unique by: source_row
-- A versionnumber of 0, which tools write where they have none, is none.
SELECT
    {{key}} AS id, source_row, source_file, source_line,
    CASE WHEN versionnumber > 0 THEN versionnumber END AS versionnumber, sinkmodifiedon, modifiedon,
    coalesce(isdelete, false) AS deleted, isformer AS former, content_hash AS content
FROM {{chosen}}
WHERE {{key}} IS NOT NULL
QUALIFY count(*) OVER (PARTITION BY {{key}}) > 1
