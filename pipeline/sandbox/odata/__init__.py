"""OData for both twins: URLs and query options to trees, conditions to SQL or to a judgement of rows."""
