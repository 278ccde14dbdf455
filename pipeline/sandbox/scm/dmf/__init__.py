"""Data management: the package API, and what becomes of a package that is imported."""
