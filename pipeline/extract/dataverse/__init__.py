"""A live Sales becomes landed tables: pages, parts, checkpoints, changes."""
