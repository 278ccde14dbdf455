"""A run, looked through in a browser on this machine."""
