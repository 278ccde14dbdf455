"""The logical names that Dynamics 365 leaves in a workbook that it exports, in any language.

A very hidden sheet ``hiddenSheet`` says in its first cell ``table:checksum:contactid=Label&…``, all
of it encoded as in an address. A column of another table is there as ``<link>.accountnumber``, and
its label has that of the lookup in brackets: *Account Number (Company Name) (Account)*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from schemas.text import WHITE_SPACE

HIDDEN_SHEET: Final = "hiddenSheet"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportNames:
    """The table that was exported, by its logical name, and label → logical name."""

    table: str
    names: Mapping[str, str]

    def rename(self, headers: Sequence[str]) -> list[str]:
        """The headers, with logical names in place of labels that stand for one.

        A name is given once, to the first label that stands for it.
        """
        renamed: list[str] = []
        for header in headers:
            name = self.names.get(_fold(header), "")
            renamed.append(name if name and name not in renamed else header)
        return renamed


def read_export_names(text: str) -> ExportNames | None:
    """The names that the first cell of the hidden sheet says; none if it says something else."""
    table, _, rest = text.partition(":")
    _, colon, query = rest.partition(":")
    if not colon or not table.strip(WHITE_SPACE).isidentifier():
        return None
    pairs = [one.partition("=")[::2] for one in query.split("&")]
    labels = [(unquote_plus(name), unquote_plus(label)) for name, label in pairs if label]
    lookups = {name: label.strip(WHITE_SPACE) for name, label in labels if "." not in name}
    names: dict[str, str] = {}
    for name, label in labels:
        meant = _name_linked(name, label, lookups) if "." in name else name
        if meant and meant not in names.values():
            names.setdefault(_fold(label), meant)
    return ExportNames(table=table.strip(WHITE_SPACE).casefold(), names=names)


def _name_linked(name: str, label: str, lookups: Mapping[str, str]) -> str:
    """``lookup.column`` for a column of another table; empty where its lookup is not known."""
    column = name.rpartition(".")[2]
    found = [lookup for lookup, of in lookups.items() if f"({of}) (" in label]
    return f"{found[0]}.{column}" if len(found) == 1 else ""


def _fold(label: str) -> str:
    return label.strip(WHITE_SPACE).casefold()
