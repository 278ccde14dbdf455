"""What an SCM has from the start.

Legal entities with their groups, sites and warehouses, and the world's reference data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final

import pycountry

from pipeline.sandbox.scm import parties
from pipeline.sandbox.scm.cells import CellError, read_cell
from pipeline.sandbox.scm.entities import (
    CATALOGUE,
    COMPANY,
    ENTITIES,
    Catalogue,
    Property,
    ScmEntity,
)
from pipeline.sandbox.scm.roles import CUSTOMER_ENTITY, ROLES
from pipeline.sandbox.scm.store import ScmStore
from pipeline.sandbox.scm.writing import Desk


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """One legal entity to set up. Countries are ISO-2 codes."""

    id: str
    name: str
    country: str
    language: str = "en-us"


COMPANIES: Final = (
    Company(id="usmf", name="Contoso Entertainment System USA", country="US"),
    Company(id="demf", name="Contoso Entertainment System Germany", country="DE", language="de"),
    Company(id="dkmf", name="Contoso Entertainment System Denmark", country="DK", language="da"),
    Company(id="gbsi", name="Contoso Orange Juice UK", country="GB", language="en-gb"),
)
"""The legal entities of the demo."""

CUSTOMER_GROUPS: Final = {
    "10": "Wholesales customers",
    "20": "Major customers",
    "30": "Retail customers",
    "40": "Internet customers",
    "80": "Other customers",
    "90": "Intercompany customers",
}
SITES: Final = {
    "1": ("11", "12", "13"),
    "2": ("21", "22", "23"),
    "3": ("31", "32"),
    "4": ("41", "42"),
    "5": ("51",),
    "6": ("61",),
}
LANGUAGES: Final = (
    "ar", "ar-ae", "cs", "da", "de", "de-at", "de-ch", "en-au", "en-ca", "en-gb", "en-ie", "en-in",
    "en-my", "en-nz", "en-sg", "en-us", "en-za", "es", "es-mx", "et", "fi", "fr", "fr-be", "fr-ca",
    "fr-ch", "hu", "is", "it", "it-ch", "ja", "lt", "lv", "nb-no", "nl", "nl-be", "pl", "pt-br",
    "ru", "sv", "th", "tr", "zh-hans",
)  # fmt: skip
SETUP_CODES: Final = {
    "Terms of payment": ("COD", "Net7", "Net10", "Net15", "Net30", "Net45", "Net60"),
    "Customer payment method": ("CASH", "CHECK", "CREDIT", "ELECTRONIC"),
    "Terms of delivery": ("CIF", "DAP", "DDP", "EXW", "FOB"),
    "Modes of delivery": ("10", "20", "30", "60"),
    "Sales tax groups": ("CA", "DOM", "EU", "EXEMPT", "WA"),
    "Decision": ("Approver", "Decider", "Influencer", "User"),
    "Workers": ("000001", "000002"),
    "Payment schedules": ("Monthly", "Quarterly"),
    "Languages": LANGUAGES,
}


_ROWS_AT_ONCE: Final = 1000


def open_store(
    path: str, companies: tuple[Company, ...], catalogue: Catalogue = CATALOGUE
) -> ScmStore:
    """A database that is set up. One that is there already is taken as it is."""
    store = ScmStore(path, catalogue)
    if not store.value('SELECT 1 FROM "LegalEntities"'):
        _model(companies, catalogue).copy_to(store)
    return store


@cache
def _model(companies: tuple[Company, ...], catalogue: Catalogue) -> ScmStore:
    """A store to copy, which is ten times faster than filling one again."""
    store = ScmStore(catalogue=catalogue)
    _fill(store, companies)
    return store


def _fill(store: ScmStore, companies: Iterable[Company]) -> None:
    with store.transaction():
        _world(store)
        for kind, codes in SETUP_CODES.items():
            store.add_setup(kind, *codes)
        for company in companies:
            _company(store, company)


def set_up_sequences(store: ScmStore, *, manual: bool) -> None:
    """Number sequences of customer accounts, one a legal entity, and of parties, shared."""
    names = ("NumberSequencesV2References", "SequenceV2Tables")
    for name in names:
        store.clear(ENTITIES[name], "")
    companies = [row["LegalEntityId"] for row in store.select('SELECT * FROM "LegalEntities"')]
    kept = [("CustAccount", f"Cust_{company}"[:10], "DataArea", company) for company in companies]
    kept.append(("DirPartyNumber", "Party", "Shared", ""))
    scope = ("NumberSequenceCode", "ScopeType", "ScopeValue")
    _rows(store, names[0], ("DataTypeName", *scope), kept)
    rules = ("Format", "Smallest", "Largest", "Manual")
    form, allowed = ("CON-#####-&&&&&&", "Yes") if manual else ("#########", "No")
    rows = [(*one[1:], form, 1, 99_999, allowed) for one in kept]
    _rows(store, names[1], (*scope, *rules), rows)


def set_up_labels(store: ScmStore, language: str) -> None:
    """The names of the entities as Data management stored them at its last refresh."""
    store.clear(ENTITIES["DataManagementEntities"], "")
    known = [one for one in ENTITIES.values() if one.dmf]
    rows = [(one.find_labels(language)[0], one.aot.upper(), "Yes") for one in known]
    columns = ("EntityName", "TargetName", "EntityIsEnabled")
    _rows(store, "DataManagementEntities", columns, rows)


def add_customers(desk: Desk, rows: Iterable[Mapping[str, str]]) -> int:
    """Customers as a *Customers V2* export lists them, taken as they are.

    Answers how many rows there were. Columns have any case, unknown ones are left out; what is
    blank or cannot be read gets its default. No rule is applied: these customers were there before.
    """
    count = 0
    given = iter(rows)
    with desk.store.transaction():
        while part := [_customer(desk, row) for row in islice(given, _ROWS_AT_ONCE)]:
            desk.store.insert_many(CUSTOMER_ENTITY, part)
            people = (ROLES[CUSTOMER_ENTITY.name].party(row) for row in part)
            desk.store.insert_many(parties.PARTIES, [parties.make_party_row(one) for one in people])
            count += len(part)
    return count


def _customer(desk: Desk, row: Mapping[str, str]) -> dict[str, Any]:
    entity = desk.store.catalogue.entities[CUSTOMER_ENTITY.name]
    values = {
        **entity.blank,
        **{one.name: _read(desk, one, text) for one, text in _fields(entity, row) if text},
    }
    values[COMPANY] = str(values[COMPANY]).lower()
    person = any(values[name] for name in ("PersonFirstName", "PersonMiddleName", "PersonLastName"))
    values["PartyType"] = values["PartyType"] or (
        "Person" if person and not values["OrganizationName"] else "Organization"
    )
    values["PartyNumber"] = values["PartyNumber"] or parties.take_party_number(desk.store)
    return values


def _fields(entity: ScmEntity, row: Mapping[str, str]) -> Iterator[tuple[Property, str]]:
    for name, text in row.items():
        field = entity.by_staging_name.get(name.strip().upper())
        if field is not None:
            yield field, text


def _read(desk: Desk, field: Property, text: str) -> Any:
    try:
        return read_cell(field, text.strip(), desk.switches)
    except CellError:
        return field.default


def _world(store: ScmStore) -> None:
    currencies = sorted((one.alpha_3, one.name) for one in pycountry.currencies)
    _rows(store, "Currencies", ("CurrencyCode", "Name"), currencies)
    _rows(store, "AddressCountryRegions", ("CountryRegion", "ISOcode"), _countries())
    _rows(store, "AddressStates", ("CountryRegionId", "State", "Name"), _states())


@cache
def _countries() -> list[tuple[str, str]]:
    return sorted((one.alpha_3, one.alpha_2) for one in pycountry.countries)


@cache
def _states() -> list[tuple[str, str, str]]:
    long_code = {short: long for long, short in _countries()}
    return sorted(
        (long_code[one.country_code], one.code.partition("-")[2], one.name[:60])
        for one in pycountry.subdivisions
        if one.country_code in long_code
    )


def _company(store: ScmStore, company: Company) -> None:
    long = next(long for long, short in _countries() if short == company.country)
    columns = (
        "LegalEntityId",
        "Name",
        "NameAlias",
        "LanguageId",
        "AddressCountryRegionId",
        "AddressCountryRegionISOCode",
    )
    values = (company.id, company.name, company.name[:20], company.language, long, company.country)
    _rows(store, "LegalEntities", columns, [values])
    own = company.id
    _rows(
        store,
        "CustomerGroups",
        (COMPANY, "CustomerGroupId", "Description"),
        [(own, *one) for one in CUSTOMER_GROUPS.items()],
    )
    _rows(
        store,
        "OperationalSites",
        (COMPANY, "SiteId", "SiteName"),
        [(own, site, f"Site {site}") for site in SITES],
    )
    warehouses = [
        (own, code, f"Warehouse {code}", site) for site, codes in SITES.items() for code in codes
    ]
    _rows(
        store,
        "Warehouses",
        (COMPANY, "WarehouseId", "WarehouseName", "OperationalSiteId"),
        warehouses,
    )


def _rows(
    store: ScmStore, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    entity = ENTITIES[name]
    store.insert_many(
        entity, [{**entity.blank, **dict(zip(columns, row, strict=True))} for row in rows]
    )
