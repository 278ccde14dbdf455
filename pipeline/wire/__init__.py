"""The two systems on the wire."""
