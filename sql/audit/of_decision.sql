-- The contacts of one decision; of ``failed`` those that did not arrive in SCM; of ``needs`` all
-- that a person must look at.
-- in: a view of decided    names: chosen    params: $decision    unique by: place
SELECT *
FROM {{chosen}}
WHERE CASE $decision
    WHEN 'needs' THEN decision IN ('held', 'rejected') OR outcome IS NOT NULL
    WHEN 'failed' THEN outcome IS NOT NULL
    ELSE decision = $decision
END
