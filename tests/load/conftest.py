"""Plans of the small source, and scenes on copies of them."""

from __future__ import annotations

from tests.scenes.loads import plans, scenes

__all__ = ["plans", "scenes"]
