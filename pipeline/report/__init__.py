"""A run as one page: facts of the run folder, rendered."""
