"""Loads by OData batches: sending, taking back, before-images."""
