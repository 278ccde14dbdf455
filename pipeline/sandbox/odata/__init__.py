"""OData for both twins: URLs and query options to trees, conditions to SQL."""
