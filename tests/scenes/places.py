"""Where things are in the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "data" / "samples"

UNCOMPILED: Final = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For processes whose files may not grow: Python would keep compiled code that is cut off."""
