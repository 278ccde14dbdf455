"""What the text of a query option means: the nodes of a condition, and a query as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID


class ODataError(Exception):
    """A query that cannot be answered; the text is the message of the 400."""


class ValueKind(StrEnum):
    """What a value is, as far as comparing it goes."""

    NULL = "null"
    BOOLEAN = "Edm.Boolean"
    TEXT = "Edm.String"
    INTEGER = "Edm.Int32"
    DECIMAL = "Edm.Decimal"
    GUID = "Edm.Guid"
    TIMESTAMP = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    ENUM = "Edm.Enum"


Scalar: TypeAlias = bool | str | int | Decimal | UUID | datetime | date | None
Comparing: TypeAlias = Literal["eq", "ne", "gt", "ge", "lt", "le"]
Calculating: TypeAlias = Literal["add", "sub", "mul", "div", "mod"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """A value that stands in the text.

    ``type_name`` is the type's name before an enumeration's member, else empty.
    """

    value: Scalar
    kind: ValueKind
    type_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Path:
    """A property, or one reached through navigation properties: ``a/b/c`` is three names."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.names)


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionCall:
    """A built-in function, as in ``contains(name,'x')``."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryFunction:
    """A function of the service with named parameters.

    As in ``Microsoft.Dynamics.CRM.In(PropertyName='a',…)``.
    """

    name: str
    parameters: Mapping[str, Scalar | tuple[Scalar, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two values compared."""

    operator: Comparing
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """``left in (items)``."""

    left: Node
    items: tuple[Constant, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Junction:
    """Two conditions joined."""

    operator: Literal["and", "or"]
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Negation:
    """A condition turned round."""

    operand: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Calculation:
    """Two numbers calculated with."""

    operator: Calculating
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantifier:
    """``path/any(variable:body)`` or ``all``; ``any()`` has no body.

    The body's paths start with the variable.
    """

    path: Path
    kind: Literal["any", "all"]
    variable: str = ""
    body: Node | None = None


Node: TypeAlias = (
    Constant
    | Path
    | FunctionCall
    | QueryFunction
    | Comparison
    | Membership
    | Junction
    | Negation
    | Calculation
    | Quantifier
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderTerm:
    """One term of ``$orderby``."""

    path: Path
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Expand:
    """One term of ``$expand`` with the options in its brackets."""

    path: tuple[str, ...]
    query: Query


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """The options of one request.

    ``select`` is empty if the request does not select; ``others`` are all that are not ``$``.
    """

    select: tuple[str, ...] = ()
    filter: Node | None = None
    orderby: tuple[OrderTerm, ...] = ()
    expand: tuple[Expand, ...] = ()
    count: bool = False
    top: int | None = None
    skip: int | None = None
    skiptoken: str | None = None
    deltatoken: str | None = None
    apply: str | None = None
    search: str | None = None
    compute: str | None = None
    format: str | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
