"""Destination columns whose values must exist in SCM, and which mapped values do not.

Pure: what SCM has comes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import polars as pl

from pipeline.mapping.problem import Problem, tabulate_problems
from schemas.text import key_of

CODE: Final = "reference_not_in_scm"

_BETWEEN: Final = "\x1f"
_ADDRESSES: Final = MappingProxyType(
    {
        "Address": "State",
        "DeliveryAddress": "State",
        "InvoiceAddress": "State",
        "PrimaryAddress": "StateId",
    }
)
"""Prefixes of address columns, and how each entity spells its state."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceTarget:
    """Where a column's value must exist: in a property of an entity set.

    ``by_company``: in the row's own legal entity, not in any. ``within`` names columns that hold
    the country of a state; the first one that is mapped counts. ``is_standard``: SCM publishes the
    entity set as it comes; else nobody is told where it is not there.
    """

    what: str
    entity_set: str
    property: str
    by_company: bool = False
    within: tuple[str, ...] = ()
    is_standard: bool = True


def _list_address_references() -> dict[str, ReferenceTarget]:
    found: dict[str, ReferenceTarget] = {}
    for prefix, state in _ADDRESSES.items():
        iso, code = f"{prefix}CountryRegionISOCode", f"{prefix}CountryRegionId"
        found[iso] = ReferenceTarget(
            what="country (ISO code)", entity_set="AddressCountryRegions", property="ISOcode"
        )
        found[code] = ReferenceTarget(
            what="country/region", entity_set="AddressCountryRegions", property="CountryRegion"
        )
        found[f"{prefix}{state}"] = ReferenceTarget(
            what="state", entity_set="AddressStates", property="State", within=(iso, code)
        )  # fmt: skip
    return found


REFERENCES: Final[Mapping[str, ReferenceTarget]] = MappingProxyType(
    {
        "CustomerGroupId": ReferenceTarget(
            what="customer group",
            entity_set="CustomerGroups",
            property="CustomerGroupId",
            by_company=True,
        ),
        "SalesCurrencyCode": ReferenceTarget(
            what="currency", entity_set="Currencies", property="CurrencyCode"
        ),
        "LanguageId": ReferenceTarget(
            what="language", entity_set="Languages", property="LanguageId", is_standard=False
        ),
        "SiteId": ReferenceTarget(
            what="site", entity_set="OperationalSites", property="SiteId", by_company=True
        ),
        "WarehouseId": ReferenceTarget(
            what="warehouse", entity_set="Warehouses", property="WarehouseId", by_company=True
        ),
        **_list_address_references(),
    }
)
"""Destination column → what its values refer to (reference 4.1, 4.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class References:
    """What SCM has, by destination column: values as keys.

    Behind their legal entity or country where they belong to one. Columns that are not in it were
    not read, and nothing is said of them.
    """

    known: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, column: str, value: str, *, legal_entity: str = "", country: str = "") -> bool:
        """Whether SCM has a value; true for columns that were not read."""
        return (
            column not in self.known
            or _join_value(column, value, legal_entity, country) in self.known[column]
        )

    def absent(self, mapped: pl.DataFrame, legal_entity: pl.Series) -> pl.DataFrame:
        """Mapped values that SCM does not have, as problems (``PROBLEMS``).

        Blanks refer to nothing.

        Args:
            mapped: destination columns, row by row.
            legal_entity: of each row; where it is null the legal entity's own values are not looked
                at.
        """
        found = [
            self._find_absent(mapped, legal_entity, column)
            for column in mapped.columns
            if column in self.known
        ]
        return tabulate_problems([one for one in found if one is not None])

    def _find_absent(
        self, mapped: pl.DataFrame, legal_entity: pl.Series, column: str
    ) -> Problem | None:
        reference = REFERENCES[column]
        parts = [key_of(pl.col(column))]
        if reference.by_company:
            parts.insert(0, key_of(pl.lit(legal_entity.alias("legal_entity"))))
        if reference.within:
            country = next((name for name in reference.within if name in mapped.columns), None)
            if country is None:
                return None
            parts.insert(0, key_of(pl.col(country)))
        keys = mapped.select(pl.concat_str(parts, separator=_BETWEEN)).to_series()
        rows = (keys.is_not_null() & ~keys.is_in(list(self.known[column]))).arg_true()
        return Problem(rows=rows, values=mapped[column][rows], code=CODE, destination=column)


def join_key(*parts: str) -> str:
    """Values as ``References`` holds them: trimmed, ASCII upper case, joined."""
    return _BETWEEN.join(pl.select(key_of(pl.lit(part))).item() or "" for part in parts)


def _join_value(column: str, value: str, legal_entity: str, country: str) -> str:
    reference = REFERENCES[column]
    return join_key(
        *([legal_entity] if reference.by_company else []),
        *([country] if reference.within else []),
        value,
    )
