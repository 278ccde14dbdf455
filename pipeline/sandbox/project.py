"""The project file that points p2c at the sandbox: TOML, with nothing secret in it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.sandbox.login.login import CLIENT, TENANT

VARIABLE: Final = "P2C_SANDBOX_SECRET"
"""The environment variable that the project takes the secret from."""

_KEPT: Final = ("legal_entity", "currency", "country", "batch_rows", "contacts_label")
_SOURCE: Final = ("filter", "flag_blank", "contact_number_pattern")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the sandbox is.

    ``certificate``: the client's, with its key; with TLS it serves as login, so nothing must be
    set.
    """

    sales: str
    scm: str
    ca: Path | None
    certificate: Path


def write_project(path: Path, place: Place, base: Path | None) -> None:
    """Write a project whose source and destination are the sandbox.

    What ``base`` says of units, tasks and countries stays.
    """
    given = tomllib.loads(base.read_text(encoding="utf-8")) if base else {}
    source = {
        "kind": "dataverse",
        "url": place.sales,
        **_choose(given, "source", _SOURCE),
        "auth": _auth(place),
    }
    destination = {
        "load": "packages",
        "url": place.scm,
        **_choose(given, "destination", _KEPT),
        "auth": _auth(place),
    }
    others = {
        name: section for name, section in given.items() if name not in {"source", "destination"}
    }
    head = f"# Points p2c at a sandbox, while it runs.{_hint(place)}\n\n"
    text = "\n".join(_lines({"source": source, "destination": destination, **others}))
    path.write_text(f"{head}{text.strip()}\n", encoding="utf-8")


def _hint(place: Place) -> str:
    return "" if place.ca else f" The variable {VARIABLE} must hold the client's secret."


def _auth(place: Place) -> dict[str, Any]:
    who = {"tenant": TENANT, "client_id": CLIENT, "authority": place.sales}
    if place.ca is None:
        return {"kind": "client_secret", **who, "secret_env": VARIABLE}
    return {
        "kind": "certificate",
        **who,
        "certificate": str(place.certificate),
        "ca_file": str(place.ca),
    }


def _choose(given: Mapping[str, Any], section: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in given.get(section, {}).items() if name in names}


def _lines(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """A table as TOML: its own values first, then its tables."""
    values = {
        name: value
        for name, value in table.items()
        if not isinstance(value, Mapping) or _inline(path, name)
    }
    if path and values:
        yield ""
        yield f"[{'.'.join(_key(part) for part in path)}]"
    for name, value in values.items():
        yield f"{_key(name)} = {_value(value)}"
    for name, value in table.items():
        if name not in values:
            yield from _lines(value, (*path, name))


def _inline(path: tuple[str, ...], name: str) -> bool:
    """Maps of values stand in one line."""
    return bool(path) and name == "value_map"


def _key(name: str) -> str:
    return (
        name
        if name and name.replace("_", "").isascii() and name.replace("_", "").isalnum()
        else json.dumps(name)
    )


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
