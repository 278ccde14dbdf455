"""One verb per file: flags → work → a result."""
