"""A plan in parts: stretches of contacts that know nothing of one another.

Three passes over them give what the stream of ``pipeline/plan/morsels.py`` gives, row for row.
*keys*: what the driver must see of all contacts at once, to find repeats. *decide*: the unchanged
SQL and rules, with what side tables have of the part's contacts. *number*: batches, with the counts
of the parts before.
"""
