"""Decisions written down: everything that makes a plan."""
