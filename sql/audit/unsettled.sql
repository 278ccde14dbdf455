-- One row per contact that SCM refused, or of which it is not known whether it arrived.
-- in: outcomes    unique by: contactid
SELECT contactid, min(outcome) AS outcome, min(code) AS code
FROM outcomes
WHERE outcome IN ('failed', 'unknown')
GROUP BY contactid
