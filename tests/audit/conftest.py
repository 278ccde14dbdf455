"""A small run that was applied, and flags that find it."""

from __future__ import annotations

from tests.scenes.applied import applied, common, home, run, source

__all__ = ["applied", "common", "home", "run", "source"]
