"""A plan is executed."""
