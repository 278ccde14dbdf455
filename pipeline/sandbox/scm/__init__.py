"""The twin of Supply Chain Management: OData ``/data`` with its entities and their rules."""
