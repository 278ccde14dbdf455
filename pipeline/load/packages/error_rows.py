"""Error rows: which rows of a package SCM means in its messages and in its two error files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from pipeline.load.packages.error_list import RowMessage
from pipeline.load.packages.manifest import format_field_name
from pipeline.load.packages.naming import RowNames, read_cells
from pipeline.run.ledger import REFUSED
from pipeline.scm.messages import OTHER, explain_messages
from schemas.catalogue import Entity

STAGING: Final = "staging_failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportMessages:
    """All that SCM said about one import.

    Its messages, the file of rows that were not staged, and the file of refused keys.
    """

    messages: Sequence[RowMessage] = ()
    staging_file: bytes = b""
    keys_file: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedErrors:
    """The rows that SCM refused, and what could not be placed.

    ``refused`` is ``REFUSED``. ``unplaced`` are messages, and lines of files, that name no row.
    """

    refused: pl.DataFrame
    unplaced: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class _Row:
    texts: list[str] = field(default_factory=list)
    staged: bool = True


def place_messages(rows: pl.DataFrame, entity: Entity, said: ImportMessages) -> MatchedErrors:
    """Find the rows of a package that SCM means.

    Args:
        rows: legal_entity, destination_key and the key columns, one row per row of the package.
        entity: whose keys they are.
        said: what SCM said.
    """
    names = (
        RowNames(rows, entity)
        if said.messages or said.staging_file or said.keys_file
        else RowNames(rows.clear(), entity)
    )
    found: dict[str, _Row] = {}
    unplaced: list[str] = []
    for content, staged in ((said.staging_file, False), (said.keys_file, True)):
        for cells in _read_lines(content, entity):
            key = names.of_cells(cells)
            if key is None:
                unplaced.append("a line of an error file names no row of the package")
            else:
                found.setdefault(key, _Row()).staged &= staged
    for message in said.messages:
        key = names.of(message.record) or names.quoted_in(message.text)
        if key is None:
            unplaced.append(message.text)
        else:
            found.setdefault(key, _Row()).texts.append(message.text)
    return MatchedErrors(refused=_list_refused(found), unplaced=tuple(unplaced))


def _list_refused(found: Mapping[str, _Row]) -> pl.DataFrame:
    rows = []
    for key, row in found.items():
        meant = explain_messages(row.texts, OTHER if row.staged else STAGING)
        rows.append(
            {"destination_key": key, "outcome": "failed", "code": meant.code, "message": meant.text}
        )
    return pl.DataFrame(rows, schema=REFUSED)


def _read_lines(content: bytes, entity: Entity) -> Iterator[list[str]]:
    """The rows of an error file: their key columns if its header names them, else all cells."""
    lines = (cells for _, cells in read_cells(content))
    first = next(lines, None)
    if first is None:
        return
    header = [cell.strip().upper() for cell in first]
    wanted = [format_field_name(name) for name in entity.key]
    places = [header.index(name) for name in wanted if name in header]
    if not places:
        yield first
    for cells in lines:
        yield (
            [cells[place] for place in places if place < len(cells)]
            if len(places) == len(wanted)
            else cells
        )
