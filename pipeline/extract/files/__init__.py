"""Exported files become landed tables, one module a form."""
