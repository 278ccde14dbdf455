"""Queries, one per file, and the one place that knows DuckDB sessions."""
