"""A Synapse Link folder: headerless CSV, described by ``model.json`` (reference A.13)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.errors import SourceError
from pipeline.extract.discover import Part
from schemas.catalogue import Table

MODEL = "model.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """A table of the folder: its columns in order, and its files."""

    header: tuple[str, ...]
    parts: tuple[Part, ...]


def find(folder: Path, table: Table) -> Described | None:
    """The table that ``model.json`` describes, none if it does not.

    Raises:
        SourceError: the model cannot be read, or a file that it lists is missing.
    """
    path = folder / MODEL
    try:
        model = json.loads(path.read_text(encoding="utf-8-sig"))
        found = [one for one in model["entities"] if str(one["name"]).casefold() in {table.singular, table.name}]
        if not found:
            return None
        header = tuple(str(one["name"]) for one in found[0]["attributes"])
        locations = [str(one["location"]) for one in found[0].get("partitions") or []]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"is no Synapse Link model: {type(error).__name__} at {error}.", where=MODEL) from error
    return Described(header=_keyed(header, table), parts=_parts(folder, found[0], locations))


def _keyed(header: tuple[str, ...], table: Table) -> tuple[str, ...]:
    """``Id`` is the primary id, unless that stands there under its own name."""
    names = {name.casefold() for name in header}
    return tuple(table.key if name.casefold() == "id" and table.key not in names else name for name in header)


def _parts(folder: Path, entity: Mapping[str, Any], locations: list[str]) -> tuple[Part, ...]:
    if locations:
        paths = [_local(folder, location) for location in locations]
    else:
        paths = sorted((folder / str(entity["name"])).rglob("*.csv"))
    if not paths:
        raise SourceError(f"there are no files of {entity['name']}.", where=MODEL)
    return tuple(Part(path=path, name=path.relative_to(folder).as_posix()) for path in paths)


def _local(folder: Path, location: str) -> Path:
    """The longest tail of a partition's address that is a file below the folder."""
    steps = [step for step in unquote(urlsplit(location).path).split("/") if step not in {"", ".", ".."}]
    for start in range(len(steps)):
        path = folder.joinpath(*steps[start:])
        if path.is_file():
            return path
    raise SourceError(f"lists {'/'.join(steps[-2:])}, which is not in the folder.", where=MODEL)
