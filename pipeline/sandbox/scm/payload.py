"""JSON bodies of writes to typed values, and typed values to JSON."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from pipeline.sandbox.scm.entities import DATA_ENTITIES, Property, PropertyKind, ScmEntity
from pipeline.sandbox.scm.failures import bad_payload

INT32: Final = 2**31
INT64: Final = 2**63

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")


def read_object(body: bytes) -> dict[str, Any]:
    """The object in a body. Raises ``ScmFailure``."""
    try:
        value = orjson.loads(body or b"null")
    except orjson.JSONDecodeError as error:
        raise bad_payload(
            f"An unexpected token was found when reading JSON: {error.msg}."
        ) from error
    if not isinstance(value, dict):
        raise bad_payload(
            "An unexpected node was found when reading the payload: a JSON object was expected."
        )
    return value


def read_values(entity: ScmEntity, body: bytes) -> dict[str, Any]:
    """The typed values that a body sets; annotations are left out. Raises ``ScmFailure``."""
    given = read_object(body)
    kind = given.get("@odata.type", "")
    if kind and kind.lstrip("#") != f"{DATA_ENTITIES}.{entity.type}":
        raise bad_payload(
            f"A type named '{kind}' could not be resolved by the model for the set '{entity.name}'."
        )
    return {name: _cast(entity, name, value) for name, value in given.items() if "@" not in name}


def _cast(entity: ScmEntity, name: str, value: Any) -> Any:
    field = entity.by_name.get(name)
    if field is None:
        raise bad_payload(
            f"The property '{name}' does not exist on type '{DATA_ENTITIES}.{entity.type}'. "
            "Make sure to only use property names that are defined by the type."
        )
    return field.default if value is None else _of_kind(field, value)


def _of_kind(field: Property, value: Any) -> Any:
    match field.kind:
        case PropertyKind.STRING if isinstance(value, str):
            return value
        case PropertyKind.ENUM if value in field.members:
            return value
        case PropertyKind.INT if _is_int(value) and -INT32 <= value < INT32:
            return value
        case PropertyKind.INT64 if _is_int(value) and -INT64 <= value < INT64:
            return value
        case PropertyKind.DECIMAL if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        case PropertyKind.DATETIME if isinstance(value, str) and (
            time := normalize_timestamp(value)
        ):
            return time
    raise bad_payload(
        f"Cannot convert a value of property '{field.name}' to the expected target type "
        f"'{name_edm_type(field)}'."
    )


def normalize_timestamp(text: str) -> str | None:
    """A timestamp with offset as ``2154-12-31T23:59:59Z``, or null when it is none."""
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


def name_edm_type(field: Property) -> str:
    """The type of a property in metadata."""
    simple = {
        PropertyKind.STRING: "Edm.String",
        PropertyKind.INT: "Edm.Int32",
        PropertyKind.INT64: "Edm.Int64",
        PropertyKind.DECIMAL: "Edm.Decimal",
        PropertyKind.DATETIME: "Edm.DateTimeOffset",
    }
    return simple.get(field.kind) or f"{DATA_ENTITIES}.{field.enum}"


def select_values(
    entity: ScmEntity, row: Mapping[str, Any], chosen: frozenset[str] | None = None
) -> dict[str, Any]:
    """A row's properties as they go into an answer, in the order of the metadata."""
    names = [one.name for one in entity.properties if chosen is None or one.name in chosen]
    return {name: row[name] for name in names}


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
