-- The contacts with one code: as their reason, as a finding, or as SCM's refusal.
-- in: a view of decided, findings    names: chosen    params: $code    unique by: place
SELECT c.*
FROM {{chosen}} AS c
LEFT JOIN (
    SELECT DISTINCT source_file, source_line, true AS is_found FROM findings WHERE code = $code
) AS f ON f.source_line = c.source_line AND f.source_file = c.source_file
WHERE c.reason = $code OR c.outcome_code = $code OR f.is_found
