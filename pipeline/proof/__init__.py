"""Answers about single contacts."""
