"""Loads by Data Management packages: building, importing, error rows."""
