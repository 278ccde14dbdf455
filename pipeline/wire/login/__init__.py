"""Every way to log in to the two systems."""
