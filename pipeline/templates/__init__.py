"""Shipped templates and lists, as data."""
