"""Postal addresses on customers and contacts.

A country/region by id or ISO code, and what is set up under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pipeline.sandbox.scm import infolog
from pipeline.sandbox.scm.entities import ENTITIES, ScmEntity
from pipeline.sandbox.scm.infolog import Info
from pipeline.sandbox.scm.store import ScmRow, ScmStore
from pipeline.sandbox.scm.switches import Switches

_COUNTRIES: Final = ENTITIES["AddressCountryRegions"]
_STATES: Final = ENTITIES["AddressStates"]


@dataclass(frozen=True, kw_only=True)
class Address:
    """The properties of one address of an entity: a prefix, and how it spells state and county."""

    prefix: str
    state: str = "State"
    county: str = "County"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The properties that have rules."""
        return tuple(
            map(
                self.name,
                (
                    "Description",
                    "CountryRegionId",
                    "CountryRegionISOCode",
                    "State",
                    "County",
                    "City",
                    "ZipCode",
                ),
            )
        )

    def name(self, part: str) -> str:
        """The property of a part."""
        return self.prefix + {"State": self.state, "County": self.county}.get(part, part)


ADDRESSES: Final = {
    "CustomersV2": (
        Address(prefix="Address"),
        Address(prefix="DeliveryAddress"),
        Address(prefix="InvoiceAddress"),
    ),
    "CDSContactPersons": (Address(prefix="PrimaryAddress", state="StateId", county="CountyId"),),
}
"""The addresses of each entity that has some."""


def complete_address(
    store: ScmStore, switches: Switches, entity: ScmEntity, row: ScmRow, changed: frozenset[str]
) -> Iterator[Info]:
    """Fill in what follows from what was set, in place; say what is wrong."""
    for address in ADDRESSES.get(entity.name, ()):
        if not any(row[name] or name in changed for name in address.names):
            continue
        yield from _country(store, switches, entity, row, address, changed)
        yield from _parts(store, switches, entity, row, address)
    if "FullPrimaryAddress" in entity.by_name:
        row["FullPrimaryAddress"] = _in_one_line(row)


def _country(
    store: ScmStore,
    switches: Switches,
    entity: ScmEntity,
    row: ScmRow,
    address: Address,
    changed: frozenset[str],
) -> Iterator[Info]:
    by_id, by_iso = address.name("CountryRegionId"), address.name("CountryRegionISOCode")
    if row[by_id] and (by_id in changed or by_iso not in changed):
        yield from _from_id(store, entity, row, by_id, by_iso, given=by_iso in changed)
    elif row[by_iso]:
        yield from _from_iso(store, switches, entity, row, by_id, by_iso)
    elif by_iso in changed:
        row[by_id] = ""
    if row[address.name("Description")] and not row[by_id]:
        yield infolog.must_be_filled(entity.by_name[by_id])


def _from_id(
    store: ScmStore, entity: ScmEntity, row: ScmRow, by_id: str, by_iso: str, *, given: bool
) -> Iterator[Info]:
    iso = store.mapping(_COUNTRIES, "CountryRegion", "ISOcode").get(row[by_id].lower())
    if iso is None:
        yield infolog.no_reference(entity.by_name[by_id], row[by_id], _COUNTRIES.label)
    elif given and row[by_iso] and row[by_iso].lower() != iso.lower():
        yield infolog.error(
            f"The ISO code '{row[by_iso]}' does not belong to country/region '{row[by_id]}'.",
            by_iso,
        )
    else:
        row[by_iso] = iso


def _from_iso(
    store: ScmStore, switches: Switches, entity: ScmEntity, row: ScmRow, by_id: str, by_iso: str
) -> Iterator[Info]:
    by_code = store.mapping(_COUNTRIES, "ISOcode", "CountryRegion")
    found = by_code.get(row[by_iso].lower()) if switches.country_from_iso else None
    if found:
        row[by_id] = found
    elif switches.country_from_iso:
        yield infolog.no_reference(entity.by_name[by_iso], row[by_iso], _COUNTRIES.label)
    else:
        yield infolog.must_be_filled(entity.by_name[by_id])


def _parts(
    store: ScmStore, switches: Switches, entity: ScmEntity, row: ScmRow, address: Address
) -> Iterator[Info]:
    country = row[address.name("CountryRegionId")]
    name = address.name("State")
    if "State" in switches.address_checks and row[name]:
        known = store.find(_STATES, {"CountryRegionId": country, "State": row[name]})
        if known is None:
            yield infolog.no_reference(entity.by_name[name], row[name], _STATES.label)
    for part in ("County", "City", "ZipCode"):
        name = address.name(part)
        codes = f"{part} {country}".lower()
        if part in switches.address_checks and row[name] and not store.in_setup(codes, row[name]):
            yield infolog.no_reference(entity.by_name[name], row[name], entity.by_name[name].label)


def _in_one_line(row: ScmRow) -> str:
    parts = (
        row["AddressStreet"],
        row["AddressCity"],
        row["AddressState"],
        row["AddressZipCode"],
        row["AddressCountryRegionId"],
    )
    return ", ".join(part for part in parts if part)[:250]
