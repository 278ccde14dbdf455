"""Where parts of the work run: in this process, or on the workers of Spark."""
