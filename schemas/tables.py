"""What the tables of a run folder hold, in words: the text lives in ``run.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, kw_only=True, slots=True)
class TableText:
    """A table in words: where it lies, what one row is, and what each column holds."""

    file: str
    row: str
    columns: Mapping[str, str]


@cache
def load_table_texts() -> dict[str, TableText]:
    """All tables by name, in the order in which people meet them."""
    text = files("schemas").joinpath("run.toml").read_text(encoding="utf-8")
    return {name: TableText(**entry) for name, entry in tomllib.loads(text).items()}
