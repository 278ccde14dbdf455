"""Loads by OData batches: upserts, their undo, before-images."""
