"""Delta tables become parts of a landed table: their log says which rows of which files count."""
