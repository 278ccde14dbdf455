"""Frames that flow through threads: ordered streams, jobs, the heap."""
