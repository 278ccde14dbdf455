"""Shipped templates and lists, as data.

They are constants like code: who needs one asks for its text, and nobody else opens the files.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_shipped(name: str, ending: str = ".toml") -> str:
    """The text of ``pipeline/templates/<name>.toml``, or of a file with another ending."""
    return files(__name__).joinpath(f"{name}{ending}").read_text(encoding="utf-8")
