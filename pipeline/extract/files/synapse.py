"""A Synapse Link folder: headerless CSV, described by ``model.json`` (reference A.13)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import SourceError, reading
from pipeline.extract.files.discover import FilePart
from schemas.catalogue import Table

MODEL = "model.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedTable:
    """A table of the folder: its columns in order, and its files."""

    header: tuple[str, ...]
    parts: tuple[FilePart, ...]


def find_linked(folder: Path, table: Table) -> LinkedTable | None:
    """The table that ``model.json`` describes, none if it does not or there is no model.

    Raises:
        SourceError: the model cannot be read, lacks a needed column, or a file that it lists is
            missing.
    """
    path = folder / MODEL
    with reading(MODEL):
        if not path.is_file():
            return None
        content = path.read_bytes()
    try:
        model = json.loads(content.decode("utf-8-sig"))
        found = [
            one
            for one in model["entities"]
            if str(one["name"]).casefold() in {table.singular, table.name}
        ]
        if not found:
            return None
        header = tuple(str(one["name"]) for one in found[0]["attributes"])
        partitions = found[0].get("partitions")
        locations = None if partitions is None else [str(one["location"]) for one in partitions]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(
            f"is not a Synapse Link model ({type(error).__name__}).", where=MODEL
        ) from error
    if len(found) > 1:
        raise SourceError(f"describes {table.name} {len(found)} times.", where=MODEL)
    return LinkedTable(
        header=_name_key(header, table), parts=_list_parts(folder, str(found[0]["name"]), locations)
    )


def _name_key(header: tuple[str, ...], table: Table) -> tuple[str, ...]:
    """``Id`` is the primary id, unless that stands there under its own name."""
    names = {name.casefold() for name in header}
    return tuple(
        table.key if name.casefold() == "id" and table.key not in names else name for name in header
    )


def _list_parts(folder: Path, entity: str, locations: list[str] | None) -> tuple[FilePart, ...]:
    """The partitions that are listed.

    A model that lists none at all leaves it to the entity's folder.
    """
    if locations is not None:
        paths = [_find_local(folder, location) for location in locations]
    else:
        paths = sorted((folder / entity).glob("*.csv"))
        if not paths:
            raise SourceError(
                f"lists no partitions of {entity}, and there is no CSV in its folder.", where=MODEL
            )
    return tuple(FilePart(path=path, name=path.relative_to(folder).as_posix()) for path in paths)


def _find_local(folder: Path, location: str) -> Path:
    """The longest tail of a partition's address that is a file below the folder."""
    steps = [
        step for step in unquote(urlsplit(location).path).split("/") if step not in {"", ".", ".."}
    ]
    for start in range(len(steps)):
        path = folder.joinpath(*steps[start:])
        if path.is_file():
            return path
    raise SourceError(f"lists {'/'.join(steps[-2:])}, which is not in the folder.", where=MODEL)
