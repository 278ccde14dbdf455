"""The rules of the two roles that a party can have: customer, and contact person of a company.

A rule completes a row in place and says what is wrong; ``party`` is what the accepted row says
of its party.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pipeline.sandbox.scm import infolog, parties
from pipeline.sandbox.scm.entities import COMPANY, ENTITIES, ScmEntity
from pipeline.sandbox.scm.infolog import Info
from pipeline.sandbox.scm.parties import Party
from pipeline.sandbox.scm.store import ScmRow, ScmStore

CUSTOMER_ENTITY: Final = ENTITIES["CustomersV2"]
CONTACT_ENTITY: Final = ENTITIES["CDSContactPersons"]

_PERSON: Final = "Person"
_ORGANIZATION: Final = "Organization"


@dataclass(frozen=True, kw_only=True, slots=True)
class PartyRole:
    """The rules of one entity.

    ``complete`` gets the row, and the row as it was before an update.
    """

    complete: Callable[[ScmStore, ScmRow, ScmRow | None], Iterator[Info]]
    party: Callable[[ScmRow], Party]


def _customer(store: ScmStore, row: ScmRow, before: ScmRow | None) -> Iterator[Info]:
    if before is None and row["CustomerAccount"]:
        yield from _manual(store, f"Cust_{row[COMPANY]}")
    row["CustomerAccount"] = (
        row["CustomerAccount"]
        or f"{row[COMPANY].upper()}-{store.next_number(f'Customer {row[COMPANY]}'):06d}"
    )
    row["PartyType"] = row["PartyType"] or _ORGANIZATION
    if row["PartyType"] not in (_PERSON, _ORGANIZATION):
        yield infolog.not_allowed(CUSTOMER_ENTITY.by_name["PartyType"], row["PartyType"])
        return
    names = ("PersonFirstName", "PersonMiddleName", "PersonLastName")
    wanted = names if row["PartyType"] == _PERSON else ("OrganizationName",)
    if not any(row[name] for name in wanted):
        yield infolog.must_be_filled(CUSTOMER_ENTITY.by_name[wanted[0]])
    if row["PartyType"] == _PERSON:
        row["OrganizationName"] = ""
    yield from _customer_party(store, row, before)


def _customer_party(store: ScmStore, row: ScmRow, before: ScmRow | None) -> Iterator[Info]:
    if before is not None:
        row["PartyNumber"] = row["PartyNumber"] or before["PartyNumber"]
        yield from _same(CUSTOMER_ENTITY, row, before, "PartyNumber", "PartyType")
        return
    row["PartyNumber"] = row["PartyNumber"] or parties.take_party_number(store)
    yield from _prospect(store, row)
    yield from _fits(store, CUSTOMER_ENTITY, row["PartyNumber"], row["PartyType"], "PartyNumber")
    sql = f'SELECT "CustomerAccount" FROM "CustomersV2" WHERE "{COMPANY}" = ? AND "PartyNumber" = ?'
    other = store.value(sql, (row[COMPANY], row["PartyNumber"]))
    if other and other.lower() != row["CustomerAccount"].lower():
        text = (
            f"Party number '{row['PartyNumber']}' already belongs to customer account '{other}' of "
            f"company '{row[COMPANY]}'."
        )
        yield infolog.error(text, "PartyNumber")


def _manual(store: ScmStore, sequence: str) -> Iterator[Info]:
    """A number from outside needs a number sequence that allows it."""
    codes = store.mapping(ENTITIES["SequenceV2Tables"], "NumberSequenceCode", "Manual")
    if codes.get(sequence.lower()) == "No":
        yield infolog.error(
            f"The number sequence '{sequence}' does not allow manual numbering.", "CustomerAccount"
        )


def _prospect(store: ScmStore, row: ScmRow) -> Iterator[Info]:
    """A prospect and a customer of one party have the same number."""
    sql = f'SELECT "ProspectId" FROM "Prospects" WHERE "{COMPANY}" = ? AND "PartyNumber" = ?'
    other = store.value(sql, (row[COMPANY], row["PartyNumber"]))
    if other and other.lower() != row["CustomerAccount"].lower():
        yield infolog.error(
            f"Cannot create customer with account number '{row['CustomerAccount']}' with same "
            f"party number as prospect '{other}'. The customer and prospect should have the same "
            "account number.",
            "PartyNumber",
        )


def _contact(store: ScmStore, row: ScmRow, before: ScmRow | None) -> Iterator[Info]:
    row["ContactPersonPartyType"] = row["ContactPersonPartyType"] or _PERSON
    if row["ContactPersonPartyType"] != _PERSON:
        yield infolog.not_allowed(
            CONTACT_ENTITY.by_name["ContactPersonPartyType"], row["ContactPersonPartyType"]
        )
    if not any(row[name] for name in ("FirstName", "MiddleName", "LastName")):
        yield infolog.must_be_filled(CONTACT_ENTITY.by_name["FirstName"])
    if before is not None:
        return
    number = row["ContactPersonPartyNumber"]
    if number and number.lower() == row["AssociatedPartyNumber"].lower():
        yield infolog.error(
            f"Party '{number}' cannot be its own contact person.", "AssociatedPartyNumber"
        )
    yield from _fits(store, CONTACT_ENTITY, number, _PERSON, "ContactPersonPartyNumber")


def _fits(
    store: ScmStore, entity: ScmEntity, number: str, party_type: str, name: str
) -> Iterator[Info]:
    """A party that is there already must be of the type of its new role."""
    party = parties.find_party(store, number)
    if party is not None and party["PartyType"] != party_type:
        label = entity.by_name[name].label
        yield infolog.error(
            (
                f"{label} '{number}' belongs to a party of type {party['PartyType']}, not "
                f"{party_type}."
            ),
            name,
        )


def _same(entity: ScmEntity, row: ScmRow, before: ScmRow, *names: str) -> Iterator[Info]:
    for name in names:
        if row[name].lower() != before[name].lower():
            yield infolog.error(f"Field '{entity.by_name[name].label}' cannot be changed.", name)


def _customer_as_party(row: ScmRow) -> Party:
    return Party(
        number=row["PartyNumber"],
        type=row["PartyType"],
        first_name=row["PersonFirstName"],
        middle_name=row["PersonMiddleName"],
        last_name=row["PersonLastName"],
        organization=row["OrganizationName"],
        language=row["LanguageId"],
    )


def _contact_as_party(row: ScmRow) -> Party:
    return Party(
        number=row["ContactPersonPartyNumber"],
        type=_PERSON,
        first_name=row["FirstName"],
        middle_name=row["MiddleName"],
        last_name=row["LastName"],
    )


ROLES: Final = MappingProxyType(
    {
        CUSTOMER_ENTITY.name: PartyRole(complete=_customer, party=_customer_as_party),
        CONTACT_ENTITY.name: PartyRole(complete=_contact, party=_contact_as_party),
    }
)
"""The entities that are roles of a party."""
