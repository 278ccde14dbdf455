"""What the address of a page asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pipeline.audit.search import NEEDS, Wanted

ALL: Final = "all"
"""Stands for contacts of every decision."""
NO_ENTITY: Final = "-"
"""Stands for contacts without a legal entity."""

_LONGEST: Final = 200
_DIGITS: Final = 18
_LAST: Final = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchForm:
    """The fields of the form; blank where nothing is chosen."""

    text: str = ""
    decision: str = NEEDS
    code: str = ""
    entity: str = ""
    owner: str = ""
    page: int = 1

    @property
    def wanted(self) -> Wanted:
        """The contacts that are asked for."""
        return Wanted(
            text=self.text or None,
            decision=None if self.decision == ALL else self.decision,
            code=self.code or None,
            legal_entity="" if self.entity == NO_ENTITY else self.entity or None,
            owner=self.owner or None,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether there is more than a text to be found."""
        return self.decision != ALL or bool(self.code or self.entity or self.owner)

    def address(self, page: int = 1) -> str:
        """The form as the end of an address."""
        fields = {
            "text": self.text,
            "decision": self.decision,
            "code": self.code,
            "entity": self.entity,
            "owner": self.owner,
            "page": page if page > 1 else "",
        }
        return urlencode({name: value for name, value in fields.items() if value})


def read_form(query: Mapping[str, str]) -> SearchForm:
    """The form of an address; what cannot be meant is left out."""

    def read(name: str, otherwise: str = "") -> str:
        text = query.get(name, otherwise).replace("\0", "").strip()
        return text[:_LONGEST]

    page = read_number(query.get("page", ""))
    return SearchForm(
        text=read("text"),
        decision=read("decision", NEEDS) or NEEDS,
        code=read("code"),
        entity=read("entity"),
        owner=read("owner"),
        page=min(max(page or 1, 1), _LAST),
    )


def read_number(text: str) -> int | None:
    """A number that fits into 64 bits; null for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
