"""Planned rows become packages and outcomes."""
