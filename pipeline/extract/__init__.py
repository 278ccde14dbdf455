"""Anything the user has becomes landed tables under a declared schema."""
