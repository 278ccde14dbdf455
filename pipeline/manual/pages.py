"""All reference pages: which there are, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pipeline.manual.codes import render_codes_page
from pipeline.manual.commands import render_commands_page
from pipeline.manual.exits import render_exits_page
from pipeline.manual.mappings import render_mappings_page
from pipeline.manual.tables import render_tables_page
from pipeline.project import reference

FOLDER: Final = Path("docs") / "reference"

PAGES: Final[Mapping[Path, Callable[[], str]]] = {
    FOLDER / "commands.md": render_commands_page,
    FOLDER / "codes.md": render_codes_page,
    FOLDER / "exit-codes.md": render_exits_page,
    FOLDER / "mappings.md": render_mappings_page,
    FOLDER / "tables.md": render_tables_page,
    reference.PAGE: reference.render_page,
}
"""Where each page lies in the checkout, and what makes its text."""


def write_manual(checkout: Path) -> list[Path]:
    """Write all pages and the schema of ``p2c.toml``; where they are."""
    written = {checkout / path: render() for path, render in PAGES.items()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return [*written, *reference.write_all(checkout)[1:]]
