"""JSON files of a run folder, as tests look into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.run import files


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object."""
    return dict(files.read_json(path))
