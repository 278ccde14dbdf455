"""Planned rows are sent to SCM, and each of them gets its outcome."""
