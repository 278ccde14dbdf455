"""Templates: parsed, checked, compiled to Polars expressions."""
