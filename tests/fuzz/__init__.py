"""Outside bytes for every reader: what comes out is a value, or a sentence with its exit code."""
