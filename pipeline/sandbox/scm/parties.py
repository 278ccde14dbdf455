"""Parties of the global address book.

Customers and contact persons are roles of one party, found by its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.sandbox.scm.entities import ENTITIES
from pipeline.sandbox.scm.store import ScmRow, ScmStore

PARTIES: Final = ENTITIES["CDSParties"]

_FIRST_NUMBER: Final = 1001


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """What a role says of its party."""

    number: str
    type: str
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    organization: str = ""
    language: str = ""

    @property
    def name(self) -> str:
        """The name of the party, put together for a person."""
        person = " ".join(
            part for part in (self.first_name, self.middle_name, self.last_name) if part
        )
        return (person if self.type == "Person" else self.organization)[:100]


def find_party(store: ScmStore, number: str) -> ScmRow | None:
    """The party with this number."""
    return store.find(PARTIES, {"PartyNumber": number}) if number else None


def take_party_number(store: ScmStore) -> str:
    """The next number of the global sequence that no party was given by hand."""
    while True:
        number = f"{store.next_number('Party', _FIRST_NUMBER):09d}"
        if find_party(store, number) is None:
            return number


def keep_party(store: ScmStore, party: Party) -> None:
    """Create the party, or bring its names up to date."""
    values = _values(party)
    known = find_party(store, party.number)
    if known is None:
        store.insert(PARTIES, make_party_row(party))
    elif changes := {
        name: value
        for name, value in values.items()
        if known[name] != value and (value or name != "LanguageId")
    }:
        store.update(PARTIES, known, changes)


def make_party_row(party: Party) -> ScmRow:
    """The row of a new party."""
    named = {"PartyNumber": party.number, "NameAlias": party.name[:20], "KnownAs": party.name}
    return {**PARTIES.blank, **_values(party), **named}


def _values(party: Party) -> dict[str, str]:
    return {
        "PartyType": party.type,
        "OrganizationName": party.organization,
        "PersonFirstName": party.first_name,
        "PersonMiddleName": party.middle_name,
        "PersonLastName": party.last_name,
        "LanguageId": party.language,
    }
