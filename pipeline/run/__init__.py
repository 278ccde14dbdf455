"""The run folder: an interface that others read."""
