"""The hand-written rows of a block and what must become of them: ``cases.toml``, parsed.

The expectations are the oracle of the sample project: they were derived from the rules of the job,
never from a run.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["customer", "contact", "no_company"]

NO_CONTACT: Final = frozenset({"superseded", "deleted"})
"""What rows become that are no contact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One row with one trouble.

    ``cases.toml`` explains the keys; null means: as in an ordinary row.
    """

    name: str
    role: Role
    decision: str
    reason: str
    findings: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    same_as: str | None = None
    older: int = 0
    id: str | None = None
    id_form: str | None = None
    number: str | None = None
    number_of: str | None = None
    number_of_account: str | None = None
    number_form: str | None = None
    company: str | None = None
    company_text: str | None = None
    company_form: str | None = None
    company_type: str | None = None
    unit: str | None = None
    unit_text: str | None = None
    unit_form: str | None = None
    currency: str | None = None
    currency_form: str | None = None
    activity: bool | None = None
    in_scm: bool = False
    text_only: bool = False
    live: str | None = None
    refused: bool = False


@cache
def read_data(name: str) -> Mapping[str, Any]:
    """The shipped ``<name>.toml``."""
    return tomllib.loads(
        files("pipeline.samples").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    )


@cache
def read_cases() -> tuple[Case, ...]:
    """All cases, in the order in which they stand in a block."""
    return tuple(
        _make_case(group, entry)
        for group in read_data("cases")["group"]
        for entry in group["cases"]
    )


def _make_case(group: Mapping[str, Any], entry: Mapping[str, Any]) -> Case:
    keys = {
        key: value for key, value in {**group, **entry}.items() if key not in {"cases", "set", "as"}
    }
    values = {**group.get("set", {}), **entry.get("set", {})}
    if values.get("description") == "@2000":
        values["description"] = "Likes espresso. " * 125
    findings, may = frozenset(keys.pop("findings", ())), frozenset(keys.pop("may", ()))
    return Case(
        role=entry.get("as", group["as"]), values=values, findings=findings, may=may, **keys
    )
