"""What SCM says: rows, reference data, metadata, labels, messages."""
