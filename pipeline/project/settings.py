"""Every setting: its name, its default, what it may be and what it does.

Text from outside is parsed here and nowhere else. The descriptions are the one source of the file
that ``init`` writes (``starter``), of the reference page (``reference``) and of the JSON schema
(``schema``).

``[source]`` and ``[destination]`` decide what comes out. A plan holds on to them, except for the
login and for how many requests are under way at once. ``[run]`` says how p2c works on this machine
and may change between plan and apply.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    SkipValidation,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from pipeline.errors import ConfigurationError
from pipeline.lazy import import_lazily
from pipeline.mapping.columns import WHOLE, ColumnDeclaration, Declarations, make_entities
from pipeline.mapping.countries import find_country
from pipeline.wire.login.settings import (
    AuthSettings,
    SalesAddress,
    ScmAddress,
    SystemSettings,
    is_loopback,
    refuse_controls,
)
from pipeline.wire.store.location import Provider, StoreLocation, parse_location
from schemas.catalogue import Entity
from schemas.labels import Labels, find_label_problems
from schemas.sales import EXAMPLE_NUMBER, USUAL_NUMBER
from schemas.scm import CDS_CONTACTS, CUSTOMERS_V2, is_currency
from schemas.text import fold_text

if TYPE_CHECKING:
    from sql import session
else:
    session = import_lazily("sql.session")

TomlTable = dict[str, object]
"""A table of TOML whose values nobody has checked yet."""

_STRICT: Final = ConfigDict(
    extra="forbid", frozen=True, coerce_numbers_to_str=True, defer_build=True
)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NUMBER: Final = r"[0-9]+(\.[0-9]+)?"
_SECONDS, _MINUTES, _HOURS, _DAYS = "s(econds?)?", "m(inutes?)?", "h(ours?)?", "d(ays?)?"
_KEPT: Final = rf"[0-9]{{1,5}}(\.[0-9]{{1,3}})? ?({_HOURS}|{_DAYS})|[0-9]{{1,4}} ?w(eeks?)?"
_PORTS: Final = {"https": 443, "http": 80}
_UNIT_BYTES: Final = {"K": 1e3, "M": 1e6, "G": 1e9}
_LEAST_MEMORY, _MOST_MEMORY = 16e6, 1e15
"""Bytes: with less, the query engine cannot begin; more, it cannot count."""
_LONGEST_DURATION: Final = 3650 * 86_400.0
"""Seconds."""
_MOST_ROWS: Final = 1_000_000_000
_IMPOSSIBLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TextForm:
    """The form of a text.

    ``what`` says it in error messages, on the reference page and in the schema. A bare number gets
    ``unit``, if there is one.
    """

    what: str
    pattern: str = ".*"
    unit: str = ""

    def check(self, value: str) -> str:
        """Return the text. Raises ``ValueError`` if it has another form."""
        if re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"must be {self.what}")
        return value

    def _add_unit(self, value: object) -> object:
        return f"{value}{self.unit}" if self.unit and isinstance(value, int | float) else value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        checked = core_schema.no_info_after_validator_function(self.check, handler(source))
        return core_schema.no_info_before_validator_function(self._add_unit, checked)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = {**handler(schema), "title": self.what}
        if self.unit:
            described["type"] = ["string", "number"]
            described["title"] += f"; a bare number is {_UNITS[self.unit]}"
        if self.pattern != ".*":
            described["pattern"] = f"^(?:{self.pattern})?$"
        return described


def _check_folder(value: str) -> str:
    parse_location(value)
    return refuse_controls(value)


def _check_paths(value: list[str]) -> list[str]:
    return [refuse_controls(one) for one in value]


def _read_country(value: str) -> str:
    found = find_country(value)
    if found is None:
        raise ValueError(f"'{value}' is not a country that p2c knows. Write its ISO code, as in DE")
    return found


def _check_code(value: str) -> str:
    if find_country(value) != value:
        raise ValueError(f"'{value}' is not an ISO 3166-1 code")
    return value


def _check_currency(value: str) -> str:
    if not is_currency(value):
        raise ValueError(f"'{value}' is not a currency of ISO 4217")
    return value


def _check_expression(value: str) -> str:
    problem = None if value == USUAL_NUMBER else session.find_pattern_problem(value)
    if problem is not None:
        raise ValueError(
            f"is not a regular expression of RE2, which knows no look-around and no "
            f"back-references: {problem}"
        )
    return value


def _check_memory(value: str) -> str:
    if not _LEAST_MEMORY <= count_bytes(value) <= _MOST_MEMORY:
        raise ValueError("must be between 16MB and 1000000GB")
    return value


def _check_duration(value: str) -> str:
    try:
        seconds = parse_duration(value).total_seconds()
    except OverflowError:
        seconds = math.inf
    if seconds > _LONGEST_DURATION:
        raise ValueError("must be at most 3650 days")
    return value


def refuse_characters(given: object) -> object:
    """A table of settings, or a part of it; returned as it is.

    Raises:
        ValueError: a text holds half a character or NUL, which nothing can work with.
    """
    match given:
        case str():
            if _IMPOSSIBLE.search(given):
                raise ValueError("a text holds bytes that are no character; write it as UTF-8")
        case dict():
            for name, value in given.items():
                refuse_characters(name)
                refuse_characters(value)
        case list():
            for value in given:
                refuse_characters(value)
        case _:
            pass
    return given


def _split_words(value: object) -> object:
    """A text of a variable or of ``--set`` as a list: words with commas between them."""
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else value


def _list_one(value: object) -> object:
    """One text as a list of one."""
    return [value] if isinstance(value, str) else value


def _write_flag(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


LegalEntity = Annotated[
    str, TextForm("one to four letters or digits, as in usmf", "[A-Za-z0-9_-]{1,4}")
]
EntityLabel = Annotated[
    str,
    TextForm("the name of a data entity, as in Customers V2", r"[^\x00-\x1f\x7f]{1,250}"),
]
Currency = Annotated[
    str,
    TextForm("three capital letters, as in EUR", "[A-Z]{3}"),
    AfterValidator(_check_currency),
]
Country = Annotated[
    str,
    TextForm("a country's name or ISO 3166-1 code, as in Germany or DE"),
    AfterValidator(_read_country),
]
CountryCode = Annotated[
    str,
    TextForm("an ISO 3166-1 code of two letters, as in DE", "[A-Z]{2}"),
    AfterValidator(_check_code),
]
Expression = Annotated[str, TextForm("a regular expression"), AfterValidator(_check_expression)]
FileName = Annotated[
    str,
    TextForm("letters, digits, dots, dashes or underscores", "[A-Za-z0-9_-][A-Za-z0-9._-]*"),
]
Memory = Annotated[
    str,
    TextForm("a size, as in 512MB or 2GB", r"[0-9]+(\.[0-9]+)? ?[KMG]i?B"),
    AfterValidator(_check_memory),
]
Age = Annotated[
    str,
    TextForm(
        "minutes, hours or days, as in 90m, 24h or 2 days",
        rf"{_NUMBER} ?({_MINUTES}|{_HOURS}|{_DAYS})",
        "h",
    ),
    AfterValidator(_check_duration),
]
_KEEP: Final = TextForm("hours, days or weeks, as in 12h, 90d or 12 weeks", _KEPT, "d")
Keep = Annotated[str, _KEEP]
Wait = Annotated[
    str,
    TextForm(
        "seconds, minutes, hours or days, as in 10s, 2m or 12h",
        rf"{_NUMBER} ?({_SECONDS}|{_MINUTES}|{_HOURS}|{_DAYS})",
        "s",
    ),
    AfterValidator(_check_duration),
]
Numbers = Annotated[str, TextForm("whole numbers, as in 0,1", "[0-9]{1,9}(, ?[0-9]{1,9})*")]
FolderName = Annotated[str, AfterValidator(_check_folder)]
SparkAddress = Annotated[
    str,
    TextForm(
        "the address of Spark Connect without a token, as in sc://spark.contoso.com:15002",
        r"sc://[A-Za-z0-9.\[\]:-]+(/(;(?!token=)[^;\s@]*)*)?",
    ),
]
NullWords = Annotated[list[str], BeforeValidator(_split_words)]
Host = Annotated[
    str,
    TextForm(
        "a host, as in blobs.contoso.com or *.blobs.contoso.com",
        r"(\*\.[A-Za-z0-9-]+\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?",
    ),
]
Hosts = Annotated[list[Host], BeforeValidator(_split_words)]
Paths = Annotated[
    list[str],
    BeforeValidator(_list_one),
    AfterValidator(_check_paths),
    WithJsonSchema(
        {"title": "a text or a list", "type": ["string", "array"], "items": {"type": "string"}}
    ),
]
Label = Annotated[
    str,
    BeforeValidator(_write_flag),
    WithJsonSchema({"type": ["string", "integer", "boolean"]}),
]
AtOnce = Annotated[int, Field(ge=1, le=200), WHOLE]


def parse_duration(text: str) -> timedelta:
    """A setting such as ``90m`` or ``2 days`` as a length of time."""
    number = text.rstrip(string.ascii_lowercase)
    return timedelta(**{_UNITS[text[len(number)]]: float(number)})


def parse_age(text: str) -> timedelta:
    """How old something is, as a person writes it: in the form of ``run.keep_values``.

    A bare number is days. Raises ``ValueError``.
    """
    given = f"{text}{_KEEP.unit}" if re.fullmatch(_NUMBER, text) else text
    return parse_duration(_KEEP.check(given))


def _name_destination(given: Mapping[str, object]) -> str:
    """SCM's host, and its port if that is not the usual one, as the name of a folder.

    ``folder`` without an SCM.
    """
    parts = urlsplit(str(given.get("url") or ""))
    if not parts.hostname:
        return "folder"
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f"-{parts.port}"
    return re.sub("[^a-z0-9._-]", "-", parts.hostname.lower()) + port


def _join_system(
    url: str | None, auth: AuthSettings | None, parallel: int
) -> SystemSettings | None:
    return (
        None
        if url is None or auth is None
        else SystemSettings(url=url, auth=auth, parallel=parallel)
    )


def _as_json(words: Labels | str) -> JsonValue:
    return words if isinstance(words, str) else {key: _as_json(one) for key, one in words.items()}


class Section(BaseModel):
    """A table of settings. A blank text means "not set": TOML and ``--set`` have no null."""

    model_config = _STRICT

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, given: object) -> object:
        return (
            {key: one for key, one in given.items() if one != "" or key not in cls.model_fields}
            if isinstance(given, dict)
            else given
        )


class SourceSettings(Section):
    """Where contacts come from, and which of them are taken."""

    kind: Literal["files", "dataverse"] = Field(
        "files",
        description=(
            '"files" reads a folder of exports. "dataverse" reads Sales itself; it needs url and '
            "[source.auth], and no path."
        ),
    )
    url: SalesAddress | None = Field(
        None,
        description='The address of Sales. Only with kind = "dataverse".',
        examples=["https://contoso.crm4.dynamics.com"],
    )
    auth: AuthSettings | None = Field(
        None,
        description=(
            "How p2c logs in to Sales, or to the Azure storage or OneLake that path names. Without "
            "it, the login for path comes from the environment."
        ),
    )
    parallel: AtOnce = Field(
        50,
        description=(
            "The largest number of requests to Sales at the same time. Sales itself recommends a "
            "number, too; p2c uses the smaller one."
        ),
    )
    path: FolderName | None = Field(
        default_factory=lambda given: "." if given.get("kind") == "files" else None,
        description=(
            "The folder of exports, relative to the project file. It holds one file or one folder "
            "per table. It may also be an address in an object store: "
            "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER, az://CONTAINER/FOLDER, "
            's3://BUCKET/FOLDER or gs://BUCKET/FOLDER. Only with kind = "files".'
        ),
    )
    filter: str | None = Field(
        None,
        description=(
            "An SQL condition on the columns of contacts. Contacts for which it is false or null "
            "are skipped. If it is not set, all contacts are taken."
        ),
        examples=["statecode = 0"],
    )
    flag_blank: Literal["no", "hold"] = Field(
        "no",
        description=(
            'What a blank Is Active Customer means. "no" treats it as No; "hold" holds the contact '
            "back until somebody fills it in."
        ),
    )
    contact_number_pattern: Expression = Field(
        USUAL_NUMBER,
        description=(
            "The usual form of a Contact Number. A number of another form is used all the same, "
            "with a warning."
        ),
    )
    null_words: NullWords | None = Field(
        None,
        description=(
            "Words that mean blank, such as NULL and \\N. If it is not set, p2c finds them where "
            "a column of ids, numbers or dates holds them. An empty list means that there are none."
        ),
        examples=[["NULL"]],
    )
    row_limit: Annotated[int, Field(ge=1024, le=1 << 30), WHOLE] = Field(
        1_048_576,
        description="The longest row of a text file, in bytes. A longer row counts as unreadable.",
    )
    unpacked_limit: Annotated[int, Field(ge=1024, le=1 << 60), WHOLE] = Field(
        8 * 1024**3,
        description=(
            "What a packed file (.gz, .zip) may become when it is unpacked, in bytes. A larger one "
            "is refused."
        ),
    )
    unpacked_ratio: Annotated[int, Field(ge=2, le=_MOST_ROWS), WHOLE] = Field(
        200,
        description=(
            "How many times its size a packed file may become; asked above 64 MiB. Exports become "
            "5 to 50 times as large."
        ),
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "files" and (self.url or (self.auth and self.location is None)):
            raise ValueError(
                "kind 'files' does not use url and auth; set kind = \"dataverse\" to read from "
                "there"
            )
        if self.auth and self.location and self.location.provider is not Provider.AZURE:
            raise ValueError(
                f"[source.auth] does not log in to {self.location.provider}: leave it out, and put "
                "the login into the environment"
            )
        if self.kind == "dataverse" and not (self.url and self.auth):
            raise ValueError("kind 'dataverse' needs url and [source.auth]")
        if self.kind == "dataverse" and self.path is not None:
            raise ValueError(
                "kind 'dataverse' reads no files: leave out path and --source, or set kind = "
                '"files"'
            )
        return self

    @property
    def system(self) -> SystemSettings | None:
        """The Sales to read from; none where files are."""
        return _join_system(self.url, self.auth, self.parallel)

    @property
    def example_number(self) -> str | None:
        """A contact number as the source has them; null if their form is not the usual one."""
        return EXAMPLE_NUMBER if self.contact_number_pattern == USUAL_NUMBER else None

    @property
    def location(self) -> StoreLocation | None:
        """The folder in an object store; null for a folder of this machine, or without one."""
        return None if self.path is None else parse_location(self.path)


class DestinationSettings(Section):
    """What SCM gets, and how it gets it."""

    load: Literal["folder", "packages", "odata", "auto"] = Field(
        "folder",
        description=(
            '"folder" writes packages that you import by hand. The others send rows to SCM and '
            'need url and [destination.auth]: "packages" through Data management, "odata" through '
            'OData, "auto" through whichever suits the number of rows (see auto_rows).'
        ),
    )
    url: ScmAddress | None = Field(
        None,
        description=(
            'The address of SCM. With load = "folder" SCM is only read: p2c looks up what is there.'
        ),
        examples=["https://contoso.operations.eu.dynamics.com"],
    )
    auth: AuthSettings | None = Field(None, description="How p2c logs in to SCM.")
    parallel: AtOnce = Field(
        50, description="The largest number of requests to SCM at the same time."
    )
    blob_hosts: Hosts = Field(
        [],
        description=(
            "Hosts that packages may be uploaded to and files of errors downloaded from, besides "
            "*.blob.core.windows.net: for a network that puts a host of its own before Azure's. "
            "SCM says where; p2c goes nowhere else, and only by https."
        ),
        examples=[["blobs.contoso.com"]],
    )
    name: FileName = Field(
        default_factory=_name_destination,
        description=(
            "The name under which p2c remembers what was loaded, in runs/loaded. If it is not set, "
            "it is the host of url; without url it is folder."
        ),
    )
    legal_entity: LegalEntity | None = Field(
        None,
        description=(
            "The legal entity of contacts whose business unit is not in [organizations]. If it is "
            "not set, such contacts are held."
        ),
        examples=["usmf"],
    )
    currency: Currency | None = Field(
        None,
        description=(
            "The currency of contacts that have none. If it is not set, p2c assumes none and "
            "rejects them."
        ),
        examples=["EUR"],
    )
    country: Country | None = Field(
        None,
        description=(
            "The country of contacts that have none. If it is not set, p2c assumes none and "
            "rejects them if SCM needs one."
        ),
        examples=["DE"],
    )
    known_customers: Paths | None = Field(
        None,
        description=(
            "Exports of Customers V2 (columns CustomerAccount, PartyNumber, dataAreaId), relative "
            "to the project file: a file, a package as Data management exports it (.zip), a folder "
            "of them, or a list. A file without dataAreaId is named after its legal entity, as in "
            "usmf.csv. They tell p2c which accounts SCM has. Not together with url: then SCM "
            "itself is asked. Without either, the plan assumes that all accounts are there."
        ),
        examples=["customers.csv", ["usmf.zip", "demf.zip"]],
    )
    batch_rows: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = Field(
        20_000, description="The number of rows in one package."
    )
    compare_with_scm: bool = Field(
        default=True,
        description=(
            "Whether a plan that asks SCM also reads what SCM has in the records that it updates. "
            "It then shows what changes, and an undo can restore what packages updated. Without "
            "it updates are compared with what p2c sent last. It also says whether the records "
            "that SCM shows after a load by OData are compared with what was sent."
        ),
    )
    auto_rows: Annotated[int, Field(ge=0, le=_MOST_ROWS), WHOLE] = Field(
        500,
        description=(
            'With load = "auto": up to this many rows of one task and legal entity go through '
            "OData, more go as packages. The default is a guess; nobody has measured it."
        ),
    )
    odata_rows: Annotated[int, Field(ge=1, le=1_000), WHOLE] = Field(
        100, description="The number of rows in one OData request."
    )
    text_qualifier: Literal["always", "needed"] = Field(
        "always",
        description=(
            'Which texts of a package stand between quotes. "always": all of them, and the '
            'manifest says so of every column. "needed": only the columns of a package that have '
            "a text with a comma or a quote; the packages that SCM itself makes are like that."
        ),
    )
    contacts_label: EntityLabel | None = Field(
        None,
        description=(
            "The name of the entity of contact persons in Data management, in the language of your "
            "SCM. If it is not set, p2c looks it up where SCM was read at url, and otherwise "
            'takes "CDS Contacts". In other systems it is "Dataverse Contacts", in German ones '
            '"CDS-Kontakte".'
        ),
        examples=["Dataverse Contacts"],
    )
    customers_label: EntityLabel | None = Field(
        None,
        description=(
            "The name of the entity of customers in Data management, in the language of your SCM. "
            "If it is not set, p2c looks it up where SCM was read at url, and otherwise takes "
            '"Customers V2".'
        ),
        examples=["Debitoren V2"],
    )

    @property
    def entity_labels(self) -> dict[str, str | None]:
        """Entity → the name in Data management that the project gives it."""
        return {CDS_CONTACTS.name: self.contacts_label, CUSTOMERS_V2.name: self.customers_label}

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

    @property
    def system(self) -> SystemSettings | None:
        """The SCM to ask and to load into; none where only files are written."""
        return _join_system(self.url, self.auth, self.parallel)


_LIBRARIES: Final = 300e6
"""Bytes that p2c takes before it reads a row."""
_CONTACT_BYTES: Final = 1_600
"""Bytes of a contact that is worked on."""
_KNOWN_BYTES: Final = 6
"""Bytes of a contact beyond those: its marks, and the lists of rows that need a look."""
_WORKED_ON: Final = 5
"""So many times ``morsel_rows`` are in memory at once."""


def count_bytes(size: str) -> float:
    """Bytes of a size, as in 512MB or 2GB."""
    text = size.rstrip("iB")
    return float(text[:-1]) * _UNIT_BYTES[text[-1]]


class RunSettings(Section):
    """How p2c works on this machine. Nothing here changes what comes out."""

    title: str | None = Field(
        None,
        description="What the project is called. The report has it in its heading.",
        examples=["Contoso roll-out, wave 2"],
    )
    morsel_rows: Annotated[int, Field(ge=1, le=_MOST_ROWS), WHOLE] = Field(
        32_768, description="The number of rows that p2c works on at once. Less needs less memory."
    )
    memory: Memory = Field(
        "1500MB",
        description=(
            "The memory that a plan takes, as a whole. Joins and look-ups have what the libraries "
            "and morsel_rows leave of it, at least half, and at least a quarter in plans of tens "
            "of millions; what needs more goes to temporary files."
        ),
    )
    engine: Literal["here", "spark"] = Field(
        "here",
        description=(
            'Where contacts are decided about. "here" is this machine. "spark" gives parts of them '
            "to the workers of Spark, for data that may not leave their cluster and for more than "
            "one machine can do; it needs p2c[spark]. It is about plans, backfills and the "
            "packages of a folder load: what goes to a live system is sent from here."
        ),
    )
    spark: SparkAddress | None = Field(
        None,
        description=(
            "The address of a Spark Connect server. If it is not set, the session of the notebook "
            "or job counts, and else what the variables and files of Spark say. An address with a "
            'token belongs into the variable SPARK_REMOTE. Only with engine = "spark".'
        ),
        examples=["sc://spark.contoso.com:15002"],
    )
    part_rows: Annotated[int, Field(ge=1, le=_MOST_ROWS), WHOLE] | None = Field(
        None,
        description=(
            "The number of contact rows of one part. Spark has 122880 if it is not set. With "
            'engine = "here", contacts come by in one stream if it is not set, which is faster.'
        ),
        examples=[122_880],
    )
    max_plan_age: Age = Field(
        "24h",
        description=(
            "How old a plan may be when it is first applied. Only plans that read a live Sales "
            "have this limit."
        ),
    )
    keep_values: Keep | None = Field(
        None,
        description=(
            "How long runs keep personal data. `p2c run`, `p2c plan` and `p2c backfill` begin by "
            "removing it from older runs, as `p2c purge` does; keys and counts stay. A run whose "
            "load is unfinished is left and named. If it is not set, nothing is removed by itself."
        ),
        examples=["90d"],
    )
    odata_requests: AtOnce = Field(
        4, description="The largest number of OData requests to SCM at the same time during a load."
    )
    parallel_imports: AtOnce = Field(
        1,
        description=(
            "The number of packages that SCM imports at the same time. More than one needs the "
            "parameter Enhanced parallel package import in SCM."
        ),
    )
    poll: Wait = Field(
        "10s", description="The longest time between two looks at an import that is running."
    )
    wait_system: Wait = Field(
        "15m",
        description=(
            "How long p2c waits for a system that throttles or fails, in all for one request, and "
            "the longest wait that it may ask for (Retry-After). Then p2c stops (exit 3); the same "
            "command continues."
        ),
    )
    wait_known: Wait = Field(
        "30m",
        description=(
            "How long SCM may take to show an import that was sent to it. Busy batch servers begin "
            "imports late. Only then does p2c send the package again."
        ),
    )
    wait_turn: Wait = Field(
        "1h",
        description=(
            "How long p2c waits for SCM to accept an import while others are running, or while SCM "
            "throttles."
        ),
    )
    wait_import: Wait = Field(
        "12h",
        description=(
            "How long an import may run. Then p2c stops waiting (exit 3); the same command waits "
            "again."
        ),
    )
    wait_keys: Wait = Field(
        "5m",
        description=(
            "How long p2c waits, after an import with errors, for the file of keys that SCM "
            "refused."
        ),
    )

    @property
    def system_wait(self) -> float:
        """The longest wait for a system, in seconds."""
        return parse_duration(self.wait_system).total_seconds()

    @property
    def retention(self) -> timedelta | None:
        """How long runs keep personal data; null for as long as nobody purges them."""
        return None if self.keep_values is None else parse_duration(self.keep_values)

    @property
    def plan_age(self) -> timedelta:
        """How old a plan of a live source may be when it is first applied."""
        return parse_duration(self.max_plan_age)

    def count_joins_memory(self, contacts: int = 0) -> str:
        """The query engine's part of ``memory``, in a plan of so many ``contacts``."""
        whole = count_bytes(self.memory)
        rest = whole - _LIBRARIES - _WORKED_ON * self.morsel_rows * _CONTACT_BYTES
        grown = min(contacts * _KNOWN_BYTES, whole / 4)
        return f"{max(max(rest, whole / 2) - grown, _LEAST_MEMORY) / 1e6:.0f}MB"


class BackfillSettings(Section):
    """What a backfill fills in, and how p2c writes it into Sales."""

    seed: str = Field(
        "p2c",
        description=(
            "What the suffix of a new Contact Number is derived from, together with the contactid. "
            "The same seed gives the same suffixes."
        ),
    )
    statuses: Numbers | None = Field(
        None,
        description=(
            "The statecode values of quotes, orders and invoices that make a contact an active "
            "customer. If it is not set, all documents count."
        ),
        examples=["0,1"],
    )
    null_to_no: bool = Field(
        default=False,
        description=(
            "Whether a blank Is Active Customer becomes No if no document names the contact."
        ),
    )
    fix_company_flag: bool = Field(
        default=False,
        description="Whether Is Company An Account is corrected where the company contradicts it.",
    )
    bulk: Literal["batch", "UpdateMultiple"] = Field(
        "batch",
        description=(
            '"batch" guards each row by the version that was planned. "UpdateMultiple" is faster '
            "and guards nothing: use it only if nobody else writes to Sales at the same time."
        ),
    )
    request_rows: Annotated[int, Field(ge=1, le=1_000), WHOLE] = Field(
        100, description="The number of rows in one request to Sales."
    )
    bypass: Literal["none", "plugins", "logic"] = Field(
        "none",
        description=(
            'Which custom code Sales skips for these rows: "plugins" skips custom plug-ins, '
            '"logic" all custom logic. Each needs a privilege in Sales.'
        ),
    )
    duplicate_detection: Literal["default", "suppress"] = Field(
        "default",
        description='"suppress" makes Sales skip duplicate detection for these rows.',
    )


def check_webhook(value: str) -> str:
    """The address of a webhook, or the name of a variable; ``ValueError`` for anything else.

    The value is not repeated: it is a secret, or somebody took it for one.
    """
    try:
        parts = urlsplit(value)
        is_safe = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_safe = urlsplit(""), False
    is_address = is_safe and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value))
    )
    if not is_address and re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,99}", value) is None:
        raise ValueError(
            "must be an address that begins with https://, or the name of an environment variable "
            "that holds one"
        )
    return value


class NotifySettings(Section):
    """Who is told how a run ended. It is not recorded in run folders."""

    webhook: Annotated[str, AfterValidator(check_webhook)] | None = Field(
        None,
        description=(
            "Where `p2c run` and `p2c apply` send their summary as JSON (POST), also when they are "
            "refused or stopped: an https address, or the name of an environment variable that "
            "holds it. Whoever knows such an address can use it, so a variable is better. The "
            "summary has verdict, counts and ids, no values of contacts. If it cannot be sent, "
            "p2c says so; the exit code does not change."
        ),
        examples=["P2C_WEBHOOK_URL"],
    )


class Settings(BaseModel):
    """All settings."""

    model_config = _STRICT

    @model_validator(mode="before")
    @classmethod
    def _refuse_characters(cls, given: object) -> object:
        return refuse_characters(given)

    source: SourceSettings = SourceSettings()
    destination: DestinationSettings = DestinationSettings()
    run: RunSettings = RunSettings()
    backfill: BackfillSettings = BackfillSettings()
    notify: NotifySettings = NotifySettings()
    organizations: dict[str, LegalEntity] = Field(
        default_factory=dict,
        description=(
            "The legal entity of each business unit. The key is the business unit's name or id, "
            "exactly as in Sales."
        ),
        examples=[{"Contoso Germany": "demf"}],
    )
    countries: dict[str, CountryCode] = Field(
        default_factory=dict,
        description=(
            "Your own spellings of countries. The key is the spelling, without regard to case; the "
            "value is the ISO 3166-1 code."
        ),
        examples=[{"Tyskland (Vest)": "DE"}],
    )
    labels: dict[str, Label | dict[str, Label | dict[str, Label]]] = Field(
        default_factory=dict,
        description=(
            "Your own words for choices and two options, where an export has labels in place of "
            "values. The key is the word, without regard to case; the value is yes, no or the "
            "number of the choice. [labels.COLUMN] has words of one column of contacts, "
            "[labels.TABLE.COLUMN] of another table."
        ),
        examples=[{"Ja": "yes"}],
    )
    columns: dict[str, dict[str, ColumnDeclaration]] = Field(
        default_factory=dict,
        description=(
            "Columns of SCM that p2c does not know by itself, or knows otherwise: a standard one "
            "that p2c does not list, an extension of your site, a financial dimension. Once "
            "declared in [columns.TASK.COLUMN], a column can be mapped like any other. With "
            "destination.url there is no need for it: SCM says which columns it has, and its word "
            "counts."
        ),
        examples=[{"TaxExemptNumber": {"type": "string", "length": 20}}],
    )
    tasks: dict[str, SkipValidation[dict[str, dict[str, dict[str, JsonValue]]]]] = Field(
        default_factory=dict,
        description=(
            "Changes to the mappings, row by row: [tasks.TASK.fields.COLUMN]. A row of yours "
            "changes the keys that it names and leaves the others; a new column is added."
        ),
    )

    @property
    def entities(self) -> dict[str, Entity]:
        """Task → the entity that it fills, with the columns that are declared of it."""
        return make_entities(self.columns)

    def list_free_tables(self) -> dict[str, JsonValue]:
        """The settings of tables whose keys are the user's own, by their whole names."""
        found: dict[str, JsonValue] = {}
        found |= {f"organizations.{key}": value for key, value in self.organizations.items()}
        found |= {f"countries.{key}": value for key, value in self.countries.items()}
        found |= {f"labels.{key}": _as_json(value) for key, value in self.labels.items()}
        found |= {
            f"columns.{task}.{name}": one.model_dump(mode="json", exclude_defaults=True)
            for task, columns in self.columns.items()
            for name, one in columns.items()
        }
        return found

    @field_validator("organizations")
    @classmethod
    def _spell_alike(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        """SCM takes legal entities in any case; the first spelling of each is used throughout."""
        destination = info.data.get("destination")
        default = getattr(destination, "legal_entity", None)
        spellings = {default.lower(): default} if default else {}
        return {unit: spellings.setdefault(one.lower(), one) for unit, one in given.items()}

    @field_validator("labels")
    @classmethod
    def _refuse_unknown_members(cls, given: Labels) -> Labels:
        problems = list(find_label_problems(given))
        if problems:
            raise ValueError("; ".join(problems))
        return given

    @field_validator("countries")
    @classmethod
    def _refuse_two_meanings(cls, given: dict[str, str]) -> dict[str, str]:
        meanings: dict[str, str] = {}
        for spelling, code in given.items():
            if meanings.setdefault(fold_text(spelling), code) != code:
                raise ValueError(
                    f"'{spelling}' is there twice, as {meanings[fold_text(spelling)]} and as {code}"
                )
        return given


SECTIONS: Final[dict[str, type[Section]]] = {
    "source": SourceSettings,
    "destination": DestinationSettings,
    "run": RunSettings,
    "backfill": BackfillSettings,
    "notify": NotifySettings,
}
"""The tables whose keys are fixed."""

AUTHS: Final = frozenset({"source.auth", "destination.auth"})
"""Tables within a section."""


def list_known_keys(path: tuple[str | int, ...]) -> Iterable[str]:
    """The keys of the table at that place; empty where they are the user's own."""
    if not path:
        return Settings.model_fields
    if ".".join(map(str, path)) in AUTHS:
        return AuthSettings.model_fields
    if path[0] == "columns":
        return ColumnDeclaration.model_fields
    section = SECTIONS.get(str(path[0]))
    return section.model_fields if section else ()


def has_scm(tables: Mapping[str, object]) -> bool:
    """Whether settings that nobody has checked yet name an SCM to ask."""
    destination = tables.get("destination")
    return isinstance(destination, Mapping) and bool(destination.get("url"))


def read_declarations(tables: Mapping[str, object]) -> Declarations:
    """``[columns]`` of settings that nobody has checked yet; none where they are wrong."""
    try:
        return TypeAdapter(dict[str, dict[str, ColumnDeclaration]]).validate_python(
            tables.get("columns", {})
        )
    except ValidationError:
        return {}


def refuse_same_system(source: str, destination: str) -> None:
    """Refuse a project whose two addresses lead to the same system.

    Raises:
        ConfigurationError: source and destination are the same system.
    """
    if _locate(source) == _locate(destination):
        raise ConfigurationError(
            (
                f"source and destination are the same system, {_locate(source)[0]}. The source is "
                "Sales, the destination SCM."
            ),
            where="destination.url",
        )


def _locate(url: str) -> tuple[str, int | None, str]:
    parts = urlsplit(url)
    return (
        (parts.hostname or "").lower(),
        parts.port or _PORTS.get(parts.scheme),
        parts.path.rstrip("/").lower(),
    )
