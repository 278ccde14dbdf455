"""What the tables of both systems and of the run folder look like.

One catalogue, from which every check is built.
"""
