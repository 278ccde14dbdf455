"""Plans of the small source, and scenes on copies of them."""

from __future__ import annotations

from tests.scenes.applied import applied, common, home, run, source
from tests.scenes.command_line import p2c
from tests.scenes.loads import plans, scenes

__all__ = ["applied", "common", "home", "p2c", "plans", "run", "scenes", "source"]
