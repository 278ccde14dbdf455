"""The keys that SCM has: customers and parties, contact persons, legal entities.

Pages go to disk as they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.run.files import TableWriter
from pipeline.scm.literals import build_company_filter
from pipeline.scm.metadata import Model
from pipeline.scm.reference import COMPANY, tabulate
from pipeline.wire.scm import NAMESPACE, Scm

CUSTOMERS: Final = pl.Schema(
    {"CustomerAccount": pl.String, "PartyNumber": pl.String, COMPANY: pl.String}
)
"""As ``known.customers`` has them. A row without CustomerAccount is a party that is not a customer
in these legal entities."""

PERSONS: Final = pl.Schema(
    {COMPANY: pl.String, "ContactPersonPartyNumber": pl.String, "AssociatedPartyNumber": pl.String}
)

_PARTIES: Final = "CDSParties"


def read_customers(scm: Scm, model: Model, legal_entities: Sequence[str], into: Path) -> int:
    """Write SCM's customers and organizations (``CUSTOMERS``); returns how many customers it has.

    Party numbers are global. Where SCM publishes its parties, those of organizations are read in
    addition to the customers of our legal entities. Where it does not, the customers of all legal
    entities are read.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    parties = model.has(_PARTIES, "PartyNumber", "PartyType")
    options = {"select": ",".join(CUSTOMERS)} | (
        {"filter": build_company_filter(legal_entities)} if parties else {}
    )
    rows = 0
    with TableWriter(into, CUSTOMERS) as writer:
        for page in scm.pages("CustomersV2", **options):
            rows += len(page)
            writer.write(tabulate(page, CUSTOMERS))
        if parties:
            for page in scm.pages(
                _PARTIES, select="PartyNumber", filter=f"PartyType eq {_spell_organization(model)}"
            ):
                writer.write(tabulate(page, CUSTOMERS))
    return rows


def _spell_organization(model: Model) -> str:
    """The constant for organizations: a member of an enum, or plain text."""
    kind = model.sets[_PARTIES]["PartyType"]
    return "'Organization'" if kind.startswith("Edm.") else f"{NAMESPACE}.{kind}'Organization'"


def read_persons(scm: Scm, legal_entities: Sequence[str], into: Path) -> int:
    """Write SCM's contact persons (``PERSONS``); returns how many it has.

    Raises:
        Stopped: SCM cannot be reached, or refuses.
    """
    rows = 0
    with TableWriter(into, PERSONS) as writer:
        pages = scm.pages(
            "CDSContactPersons",
            select=",".join(PERSONS),
            filter=build_company_filter(legal_entities),
        )
        for page in pages:
            rows += len(page)
            writer.write(tabulate(page, PERSONS))
    return rows


def read_legal_entities(scm: Scm, model: Model) -> dict[str, str] | None:
    """Legal entity (lower case) → its name; null where SCM does not publish them."""
    if not model.has("LegalEntities", "LegalEntityId", "Name"):
        return None
    pages = scm.pages("LegalEntities", select="LegalEntityId,Name")
    return {
        str(row["LegalEntityId"]).lower(): " ".join(str(row["Name"]).split())
        for page in pages
        for row in page
    }
