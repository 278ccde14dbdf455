"""Pieces of Markdown for the pages that are made from what the code declares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def mark_code(text: str) -> str:
    """The text as code."""
    return f"`{text}`"


def mark_codes(names: Iterable[str]) -> str:
    """The names as code, in one line."""
    return ", ".join(map(mark_code, names))


def render_markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar in a cell is escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    cells = ((cell.replace("|", r"\|") for cell in line) for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
