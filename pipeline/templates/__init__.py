"""Shipped templates and lists, as data.

They are constants like code: who needs one asks for its text, and nobody else opens the files.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_shipped(name: str) -> str:
    """The text of ``pipeline/templates/<name>.toml``."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
