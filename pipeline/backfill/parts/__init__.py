"""A backfill in parts: stretches of contacts that know nothing of one another.

Three passes over them give what the stream of ``pipeline/backfill/morsels.py`` gives, row for row.
*keys*: what the driver must see to find repeats. *survey*: who gets a number, whom documents name,
and the highest number; the driver then ranks all contacts. *decide*: the unchanged SQL and rules,
with the ranks of the part.
"""
