"""The reference pages that are made from what the code declares.

``python -m pipeline.manual`` writes them: commands, settings, codes, exit codes, tables.
"""
