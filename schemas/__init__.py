"""What the tables of both systems and of the run folder look like: one catalogue, from which every check is built."""
