"""The catalogue of codes: what p2c says about a row, and what to do about it.

Text lives in ``codes.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

TOP: Final = (
    "row_unreadable",
    "no_contacts",
    "nothing_selected",
    "only_not_found",
    "file_ignored",
    "folder_missing",
    "row_count_suspicious",
    "column_missing",
    "flag_not_read",
    "flag_never_set",
    "units_not_named",
    "memory_missing",
    "keys_lost",
    "known_customers_empty",
    "accounts_assumed",
    "company_changed",
    "promoted",
    "demoted",
    "no_longer_routed",
    "no_longer_in_source",
    "would_clear",
    "legal_entity_changed",
)
"""Findings that come before everything else: they say something about the run as a whole."""


class Decision(StrEnum):
    """What becomes of a contact. Every contact has exactly one."""

    CUSTOMER = "customer"
    CONTACT = "contact"
    SKIPPED = "skipped"
    HELD = "held"
    REJECTED = "rejected"


class Severity(StrEnum):
    """How a finding counts, the most urgent first."""

    ERROR = "error"
    HOLD = "hold"
    WARNING = "warning"
    ALSO = "also"


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """One code.

    ``rank`` is its place in the catalogue: of several codes of one contact the lowest gate, then
    rank, wins.
    """

    code: str
    rank: int
    sentence: str
    advice: str
    gate: int | None = None
    decision: Decision | None = None
    severity: Severity | None = None
    one: str = ""
    """The sentence if ``{detail}`` is 1; blank where it stays the same."""

    @property
    def order(self) -> int:
        """Gate, then rank, as one sortable number; for codes without a gate above all gates."""
        return (self.gate or 9) * 1000 + self.rank

    @property
    def is_idle(self) -> bool:
        """Whether nothing needs to be done about it, as a rule."""
        return self.advice.startswith("Nothing to do")

    @property
    def urgency(self) -> int:
        """Less is more urgent.

        Errors, what is held, warnings, and those about which there is nothing to do.
        """
        return 2 * list(Severity).index(self.severity or Severity.WARNING) + self.is_idle

    def message(self, *, column: str = "", limit: object = "", detail: object = "") -> str:
        """The sentence with its blanks filled in."""
        sentence = self.one if self.one and str(detail) == "1" else self.sentence
        return sentence.format(column=column, limit=limit, detail=detail)


@cache
def load_codes() -> dict[str, Code]:
    """All codes by name, in order."""
    text = files("schemas").joinpath("codes.toml").read_text(encoding="utf-8")
    found: dict[str, Code] = {}
    for rank, (name, entry) in enumerate(tomllib.loads(text).items()):
        found[name] = Code(
            code=name,
            rank=rank,
            sentence=entry["sentence"],
            advice=entry["advice"],
            gate=entry.get("gate"),
            decision=Decision(entry["decision"]) if "decision" in entry else None,
            severity=Severity(entry["severity"]) if "severity" in entry else None,
            one=entry.get("one", ""),
        )
    return found


def find_code(name: str) -> Code:
    """The code of that name; a name outside the catalogue is a defect (``KeyError``)."""
    return load_codes()[name]
