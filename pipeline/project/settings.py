"""Every setting: its name, its default, what it may be.

Text from outside is parsed here and nowhere else.

``[source]`` and ``[destination]`` decide what comes out; a plan holds on to them, but for how we
log in and how many requests are under way at once. ``[run]`` says how p2c works on this machine and
may change between plan and apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from pipeline.errors import ConfigurationError
from pipeline.mapping.countries import country_code
from pipeline.wire.login.settings import Address, AuthSettings
from schemas.sales import USUAL_NUMBER
from schemas.text import fold

_STRICT: Final = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PORTS: Final = {"https": 443, "http": 80}


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


LegalEntity = Annotated[
    str,
    AfterValidator(
        _matching("[A-Za-z0-9_-]{1,4}", "must be one to four letters or digits, as in usmf")
    ),
]
Currency = Annotated[
    str, AfterValidator(_matching("[A-Z]{3}", "must be three capital letters, as in EUR"))
]
Country = Annotated[str, AfterValidator(_code_of)]
CountryCode = Annotated[str, AfterValidator(_is_code)]
FileName = Annotated[
    str,
    AfterValidator(
        _matching(
            "[A-Za-z0-9_-][A-Za-z0-9._-]*", "must be letters, digits, dots, dashes or underscores"
        )
    ),
]
Memory = Annotated[
    str,
    AfterValidator(_matching(r"[0-9]+(\.[0-9]+)? ?[KMG]i?B", "must be a size, as in 512MB or 2GB")),
]
Age = Annotated[
    str,
    BeforeValidator(lambda value: f"{value}h" if isinstance(value, int | float) else value),
    AfterValidator(
        _matching(
            r"[0-9]+(\.[0-9]+)? ?[mhd]", "must be minutes, hours or days, as in 90m, 24h or 2d"
        )
    ),
]
Wait = Annotated[
    str,
    BeforeValidator(lambda value: f"{value}s" if isinstance(value, int | float) else value),
    AfterValidator(
        _matching(
            r"[0-9]+(\.[0-9]+)? ?[smhd]",
            "must be seconds, minutes, hours or days, as in 10s, 2m or 12h",
        )
    ),
]
AtOnce = Annotated[int, Field(ge=1, le=200)]


def duration(text: str) -> timedelta:
    """A setting such as ``90m`` as a length of time."""
    return timedelta(**{_UNITS[text[-1]]: float(text[:-1])})


def _host_of(given: dict[str, Any]) -> str:
    """SCM's host, and its port if that is not the usual one, as the name of a folder.

    ``folder`` without an SCM.
    """
    parts = urlsplit(given.get("url") or "")
    if not parts.hostname:
        return "folder"
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f"-{parts.port}"
    return re.sub("[^a-z0-9._-]", "-", parts.hostname.lower()) + port


class Section(BaseModel):
    """A table of settings.

    A blank text is a setting that was not set: TOML and ``--set`` have no null.
    """

    model_config = _STRICT

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:
        return (
            {key: value for key, value in given.items() if value != ""}
            if isinstance(given, dict)
            else given
        )


class SourceSettings(Section):
    """``[source]``: where contacts come from and which of them are taken."""

    kind: Literal["files", "dataverse"] = "files"
    url: Address | None = None
    auth: AuthSettings | None = None
    parallel: AtOnce = 50
    path: str | None = Field(
        default_factory=lambda given: "." if given.get("kind") == "files" else None
    )
    filter: str | None = None
    flag_blank: Literal["no", "hold"] = "no"
    contact_number_pattern: Annotated[str, AfterValidator(_pattern)] = USUAL_NUMBER
    row_limit: Annotated[int, Field(ge=1024)] = 1_048_576

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "files" and (self.url or self.auth):
            raise ValueError(
                "kind 'files' does not use url and auth; set kind = \"dataverse\" to read from "
                "there"
            )
        if self.kind == "dataverse" and not (self.url and self.auth):
            raise ValueError("kind 'dataverse' needs url and [source.auth]")
        if self.kind == "dataverse" and self.path is not None:
            raise ValueError(
                "kind 'dataverse' reads no files: leave out path and --source, or set kind = "
                '"files"'
            )
        return self


class DestinationSettings(Section):
    """``[destination]``: what SCM shall get, and how."""

    load: Literal["folder", "packages", "odata", "auto"] = "folder"
    url: Address | None = None
    auth: AuthSettings | None = None
    parallel: AtOnce = 50
    name: FileName = Field(default_factory=_host_of)
    legal_entity: LegalEntity | None = None
    currency: Currency | None = None
    country: Country | None = None
    known_customers: str | None = None
    batch_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    auto_rows: Annotated[int, Field(ge=0)] = 500
    odata_rows: Annotated[int, Field(ge=1, le=1_000)] = 100
    contacts_label: Literal["CDS Contacts", "Dataverse Contacts"] = "CDS Contacts"

    @model_validator(mode="after")
    def _fits_its_load(self) -> Self:
        if self.load != "folder" and not (self.url and self.auth):
            raise ValueError(f"load '{self.load}' needs url and [destination.auth]")
        if (self.url is None) != (self.auth is None):
            raise ValueError("url and [destination.auth] belong together; one of them is missing")
        if self.url and self.known_customers:
            raise ValueError(
                "known_customers is for plans without a live SCM; here SCM itself is asked, at url"
            )
        return self


class RunSettings(Section):
    """``[run]``: how p2c works on this machine; nothing here changes what comes out."""

    morsel_rows: Annotated[int, Field(ge=1)] = 122_880
    memory: Memory = "1GB"
    max_plan_age: Age = "24h"
    odata_requests: AtOnce = 4
    parallel_imports: AtOnce = 1
    poll: Wait = "10s"
    wait_known: Wait = "2m"
    wait_turn: Wait = "1h"
    wait_import: Wait = "12h"
    wait_keys: Wait = "5m"

    @property
    def plan_age(self) -> timedelta:
        """How old a plan of a live source may be when it is first applied."""
        return duration(self.max_plan_age)


class BackfillSettings(Section):
    """``[backfill]``: what is filled in, and how rows are written into Sales.

    ``seed`` decides the suffixes; ``statuses`` narrows quotes, orders and invoices to those
    ``statecode`` values; ``bulk`` needs a Sales that nobody else writes to meanwhile.
    """

    seed: str = "p2c"
    statuses: (
        Annotated[
            str, AfterValidator(_matching("[0-9]+(, ?[0-9]+)*", "must be whole numbers, as in 0,1"))
        ]
        | None
    ) = None
    null_to_no: bool = False
    fix_company_flag: bool = False
    bulk: Literal["batch", "UpdateMultiple"] = "batch"
    request_rows: Annotated[int, Field(ge=1, le=1_000)] = 100
    bypass: Literal["none", "plugins", "logic"] = "none"
    duplicate_detection: Literal["default", "suppress"] = "default"


class Settings(BaseModel):
    """All settings."""

    model_config = _STRICT

    source: SourceSettings = SourceSettings()
    destination: DestinationSettings = DestinationSettings()
    run: RunSettings = RunSettings()
    backfill: BackfillSettings = BackfillSettings()
    organizations: dict[str, LegalEntity] = Field(default_factory=dict)
    countries: dict[str, CountryCode] = Field(default_factory=dict)
    tasks: dict[str, Any] = Field(default_factory=dict)

    @field_validator("countries")
    @classmethod
    def _one_meaning(cls, given: dict[str, str]) -> dict[str, str]:
        meanings: dict[str, str] = {}
        for spelling, code in given.items():
            if meanings.setdefault(fold(spelling), code) != code:
                raise ValueError(
                    f"'{spelling}' is there twice, as {meanings[fold(spelling)]} and as {code}"
                )
        return given


SECTIONS: Final[dict[str, type[Section]]] = {
    "source": SourceSettings,
    "destination": DestinationSettings,
    "run": RunSettings,
    "backfill": BackfillSettings,
}
"""The tables whose keys are fixed."""


def refuse_same_system(source: str, destination: str) -> None:
    """Refuse a project whose two addresses are one.

    Raises:
        ConfigurationError: source and destination are the same system.
    """
    if _place(source) == _place(destination):
        raise ConfigurationError(
            (
                f"source and destination are the same system, {_place(source)[0]}. The source is "
                "Sales, the destination SCM."
            ),
            where="destination.url",
        )


def _place(url: str) -> tuple[str, int | None, str]:
    parts = urlsplit(url)
    ports = {"https": 443, "http": 80}
    return (
        (parts.hostname or "").lower(),
        parts.port or ports.get(parts.scheme),
        parts.path.rstrip("/").lower(),
    )
