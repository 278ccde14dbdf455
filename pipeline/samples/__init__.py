"""The sample data, at any size, from a seed."""
