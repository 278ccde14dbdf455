"""What a page is made of: paragraphs and tables as data, so that one template draws them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

Style = Literal["text", "key", "command", "tag", "line"]
"""``line`` begins a new line; ``tag`` is a word in the colour of its decision or severity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A piece of text in one style; with ``href`` it is a link."""

    text: str
    style: Style = "text"
    href: str = ""


Cell = str | int | float | datetime | tuple[Part, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of a table; ``anchor`` is what links to it name."""

    cells: tuple[Cell, ...]
    anchor: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageColumn:
    """A column: ``n`` is right-aligned, ``key`` in a fixed pitch, ``says`` has sentences."""

    heading: str
    kind: Literal["text", "n", "key", "says"] = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageTable:
    """A table. ``source`` is the file that has all rows, should there be too many to show."""

    caption: str
    columns: tuple[PageColumn, ...]
    rows: tuple[Row, ...]
    source: str = "the run folder"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A drawing with a line below it."""

    drawing: Markup
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Paragraph:
    """Text; ``style`` is its CSS class."""

    parts: tuple[Part, ...]
    style: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """What only those look at who search for it: folded away, and not printed."""

    heading: str
    table: PageTable


Block = Paragraph | PageTable | Picture | Fold


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSection:
    """A part of the annex that folds away; ``hint`` says in a few words what is inside."""

    anchor: str
    heading: str
    hint: str
    blocks: tuple[Block, ...]


def say(*pieces: str | Part) -> Paragraph:
    """A paragraph of texts and parts."""
    return Paragraph(parts=tuple(_as_part(one) for one in pieces))


def _as_part(piece: str | Part) -> Part:
    return Part(text=piece) if isinstance(piece, str) else piece


def make_command(text: str) -> Part:
    """A command to type."""
    return Part(text=text, style="command")


def make_table(
    caption: str,
    columns: Sequence[PageColumn],
    rows: Sequence[Sequence[Cell]],
    source: str = "the run folder",
) -> PageTable:
    """A table without anchors."""
    return PageTable(
        caption=caption,
        columns=tuple(columns),
        rows=tuple(Row(cells=tuple(one)) for one in rows),
        source=source,
    )


def count_things(number: int, noun: str) -> str:
    """As in ``1 row`` and ``2,000 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
