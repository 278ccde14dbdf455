-- One row per contact that is left of all conditions: its place among the decisions.
-- in: a view of decided    names: chosen    unique by: place
SELECT place
FROM {{chosen}}
