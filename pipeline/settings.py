"""Every setting: its name, its default, what it may be. Text from outside is parsed here and nowhere else.

``[source]`` and ``[destination]`` decide what comes out; a plan holds on to them. ``[run]`` says how p2c works on this
machine and may change between plan and apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pipeline.mapping.countries import country_code
from schemas.text import fold

_STRICT: Final = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def _matching(pattern: str, sentence: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(sentence)
        return value

    return check


def _code_of(value: str) -> str:
    found = country_code(value)
    if found is None:
        raise ValueError(f"'{value}' is no country that p2c knows by exact name")
    return found


def _is_code(value: str) -> str:
    if country_code(value) != value:
        raise ValueError(f"'{value}' is no ISO 3166-1 code of two letters")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


LegalEntity = Annotated[str, AfterValidator(_matching("[A-Za-z0-9_-]{1,4}", "must be one to four letters or digits, as in usmf"))]
Currency = Annotated[str, AfterValidator(_matching("[A-Z]{3}", "must be three capital letters, as in EUR"))]
Country = Annotated[str, AfterValidator(_code_of)]
CountryCode = Annotated[str, AfterValidator(_is_code)]
FileName = Annotated[str, AfterValidator(_matching("[A-Za-z0-9._-]+", "must be letters, digits, dots, dashes or underscores"))]
Memory = Annotated[str, AfterValidator(_matching(r"[0-9]+(\.[0-9]+)? ?[KMG]i?B", "must be a size, as in 512MB or 2GB"))]
Age = Annotated[
    str,
    BeforeValidator(lambda value: f"{value}h" if isinstance(value, int | float) else value),
    AfterValidator(_matching(r"[0-9]+(\.[0-9]+)? ?[mhd]", "must be minutes, hours or days, as in 90m, 24h or 2d")),
]


class Section(BaseModel):
    """A table of settings. A blank text is a setting that was not set: TOML and ``--set`` have no null."""

    model_config = _STRICT

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:
        return {key: value for key, value in given.items() if value != ""} if isinstance(given, dict) else given


class SourceSettings(Section):
    """``[source]``: where contacts come from and which of them are taken."""

    kind: Literal["files"] = "files"
    path: str = "."
    filter: str | None = None
    flag_blank: Literal["no", "hold"] = "no"
    contact_number_pattern: Annotated[str, AfterValidator(_pattern)] = "CON-[0-9]{5,9}-[A-Z0-9]{4,6}"
    row_limit: Annotated[int, Field(ge=1024)] = 1_048_576


class DestinationSettings(Section):
    """``[destination]``: what SCM shall get, and how."""

    load: Literal["folder"] = "folder"
    name: FileName = "folder"
    legal_entity: LegalEntity | None = None
    currency: Currency | None = None
    country: Country | None = None
    known_customers: str | None = None
    batch_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    contacts_label: Literal["CDS Contacts", "Dataverse Contacts"] = "CDS Contacts"


class RunSettings(Section):
    """``[run]``: how p2c works on this machine; nothing here changes what comes out."""

    morsel_rows: Annotated[int, Field(ge=1)] = 131_072
    memory: Memory = "1GB"
    max_plan_age: Age = "24h"

    @property
    def plan_age(self) -> timedelta:
        """How old a plan of a live source may be when it is first applied."""
        return timedelta(**{_UNITS[self.max_plan_age[-1]]: float(self.max_plan_age[:-1])})


class Settings(BaseModel):
    """All settings."""

    model_config = _STRICT

    source: SourceSettings = SourceSettings()
    destination: DestinationSettings = DestinationSettings()
    run: RunSettings = RunSettings()
    organizations: dict[str, LegalEntity] = Field(default_factory=dict)
    countries: dict[str, CountryCode] = Field(default_factory=dict)
    tasks: dict[str, Any] = Field(default_factory=dict)

    @field_validator("countries")
    @classmethod
    def _one_meaning(cls, given: dict[str, str]) -> dict[str, str]:
        meanings: dict[str, str] = {}
        for spelling, code in given.items():
            if meanings.setdefault(fold(spelling), code) != code:
                raise ValueError(f"'{spelling}' is there twice, as {meanings[fold(spelling)]} and as {code}")
        return given


SECTIONS: Final[dict[str, type[Section]]] = {"source": SourceSettings, "destination": DestinationSettings, "run": RunSettings}
"""The tables whose keys are fixed."""
