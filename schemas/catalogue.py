"""The words in which both systems' tables are described.

Every list of fields in this package is made of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import polars as pl


class Type(StrEnum):
    """What a Dataverse column holds.

    Decides how text, integers and booleans in a source are read.
    """

    GUID = "guid"
    TEXT = "text"
    CHOICE = "choice"
    TWO_OPTIONS = "two options"
    DECIMAL = "decimal"
    INTEGER = "integer"
    TIMESTAMP = "timestamp"


class OnTooLong(StrEnum):
    """What becomes of a value that is longer than its destination column."""

    REJECT = "reject"
    TRUNCATE = "truncate"
    BLANK = "blank"


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One column of a source table.

    ``names`` are further spellings that exports use, without regard to case; ``label`` is the
    display label of the Data Integrator, which counts as a spelling of lower rank; ``options`` are
    the members of a choice, or of two options: 0 and 1. ``words`` are further words for members,
    in lower case, such as a project's ``[labels]``. ``better`` are spellings that say the same more
    exactly: where several spellings are filled, they win, and differences between them and the
    others mean nothing. ``alike`` are words, in lower case, that mean the same as another one.
    ``decisive`` are values, in lower case, that win over those of the other
    spellings: of several marks of deletion one is enough.
    """

    name: str
    type: Type = Type.TEXT
    label: str = ""
    names: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    alike: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    decisive: tuple[str, ...] = ()
    options: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def members(self) -> dict[str, int]:
        """Every word for a member, in lower case, and the member's value."""
        labels = {label.lower(): value for value, label in self.options.items()}
        return {**labels, **self.words}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One source table: its entity set name, its logical name, its primary id and its columns.

    ``required`` lists groups of columns: of every group at least one column must be there.
    """

    name: str
    singular: str
    key: str
    fields: tuple[Field, ...]
    required: tuple[tuple[str, ...], ...] = ()

    def field(self, name: str) -> Field | None:
        """The column of that name."""
        return next((one for one in self.fields if one.name == name), None)


class ColumnKind(StrEnum):
    """What a destination column holds."""

    TEXT = "string"
    ENUM = "enum"
    DECIMAL = "decimal"
    INTEGER = "integer"
    """A whole number of 32 bits."""
    LONG = "long"
    """A whole number of 64 bits."""
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    GUID = "guid"


BOOLEANS: Final = ("false", "true")
"""The values of a boolean column, as text; the first one is its blank."""

NO_YES: Final = ("No", "Yes")
"""The members of the enum that SCM uses for flags."""

_MEMBERS_SHOWN: Final = 13

DECIMAL: Final = pl.Decimal(32, 6)
"""The type of destination amounts: SCM's Real keeps 16 significant digits, 6 of them after the
point at the most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a destination entity, in its OData spelling.

    ``length`` counts UTF-16 code units (null: unbounded); ``members`` closes the set of values, of
    enums and of strings that SCM reads like one. Lengths: reference 4.6, enums: 4.4.
    """

    name: str
    kind: ColumnKind = ColumnKind.TEXT
    length: int | None = None
    members: tuple[str, ...] = ()
    mandatory: bool = False
    key: bool = False
    on_too_long: OnTooLong = OnTooLong.REJECT
    keeps: bool = False
    """Whether an update without a value leaves what SCM has; a mapping says so, no entity does."""

    @property
    def members_text(self) -> str:
        """The members as messages name them, the first ones of many."""
        more = len(self.members) - _MEMBERS_SHOWN
        shown = ", ".join(self.members[:_MEMBERS_SHOWN])
        return f"{shown} and {more} more" if more > 0 else shown

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of this column in ``rows/``."""
        match self.kind:
            case ColumnKind.TEXT | ColumnKind.ENUM | ColumnKind.BOOLEAN | ColumnKind.GUID:
                return pl.String()
            case ColumnKind.DECIMAL:
                return DECIMAL
            case ColumnKind.INTEGER | ColumnKind.LONG:
                return pl.Int64()
            case ColumnKind.TIMESTAMP:
                return pl.Datetime("us", "UTC")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """One destination data entity: names, key and columns.

    ``person_name`` and ``needs`` are its rules over several columns.
    """

    name: str
    labels: tuple[str, ...]
    odata_set: str
    aot_name: str | None
    columns: tuple[Column, ...]
    person_name: tuple[str, ...]
    """At least one of these must be filled."""
    needs: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Once the first column is filled, the second is mandatory."""

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((one for one in self.columns if one.name == name), None)

    @property
    def key(self) -> tuple[str, ...]:
        """The integration key within one legal entity, in order."""
        return tuple(one.name for one in self.columns if one.key)
