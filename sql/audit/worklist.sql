-- One row per contact that needs work in Sales, by owner: what is wrong, what to do, a link to the
-- record.
-- in: needed, told, owners (source_file, source_line, ownerid)
--     accepted (source_file, source_line, accepted_until, accepted_why)
-- params: $link
-- unique by: source_file, source_line
SELECT
    o.ownerid AS owner,
    CASE WHEN n.has_id THEN $link || n.contactid END AS link,
    n.contactid,
    n.contact_number,
    n.decision,
    t.codes,
    t."columns",
    t.what_is_wrong,
    t.what_to_do,
    a.accepted_until,
    a.accepted_why,
    n.source_file,
    n.source_line
FROM needed AS n
JOIN told AS t ON t.source_line = n.source_line AND t.source_file = n.source_file
LEFT JOIN owners AS o ON o.source_line = n.source_line AND o.source_file = n.source_file
LEFT JOIN accepted AS a ON a.source_line = n.source_line AND a.source_file = n.source_file
ORDER BY o.ownerid NULLS LAST, n.source_file, n.source_line
