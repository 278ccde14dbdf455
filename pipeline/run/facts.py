"""``run.json``: what a run is, and what was known when it began.

One form for every kind of run; what does not apply to a kind is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, JsonValue, PlainSerializer

from pipeline.run.record import RunRecord

Moment = Annotated[AwareDatetime, PlainSerializer(datetime.isoformat, return_type=str)]
"""A point in time, written as in ``2026-01-02T03:04:05+00:00``."""


class Kind(StrEnum):
    """What a run is for."""

    MAIN = "main"
    """Contacts into SCM."""

    BACKFILL = "backfill"
    """Contact Number and Is Active Customer into Sales."""

    RETRY = "retry"
    """Contacts that an earlier run held, rejected or failed, into SCM."""

    UNDO = "undo"
    """What another run did is taken back."""

    @property
    def is_load(self) -> bool:
        """Whether its rows go into SCM."""
        return self in (Kind.MAIN, Kind.RETRY)


class Setting(RunRecord):
    """A setting in force, and where it comes from: ``default``, a file, a variable or a flag."""

    value: JsonValue
    origin: str


class DestinationFacts(RunRecord):
    """Where rows go, and how."""

    name: str = ""
    load: str = ""
    url: str | None = None
    legal_entities: tuple[str, ...] = ()


class Requested(RunRecord):
    """What the user asked for besides the project."""

    limit: int | None = None
    only: str | None = None
    full: bool = False
    take_over: bool = False
    changes: bool = False


class SourceRead(RunRecord):
    """A file of the source, or what was read of a table over the wire.

    ``in_place`` says that its rows were not copied: they are read where they lie. A file of an
    object store has an ``etag`` and, if the store keeps versions, a ``version``; its ``sha256`` is
    blank if only the needed columns were fetched.
    """

    table: str
    file: str
    path: str
    in_place: bool = False
    rows: int
    bytes: int
    sha256: str
    etag: str = ""
    version: str = ""


class DeltaRead(RunRecord):
    """The version of a Delta table that was read."""

    table: str
    version: int
    committed_at: Moment | None = None
    """When it was written; null where its log does not say."""


class OrganizationRead(RunRecord):
    """Whose Sales it is."""

    id: str = ""
    name: str = ""


class TableTotal(RunRecord):
    """Rows of a table as they were read, and as Sales counted them."""

    table: str
    read: int
    counted: int


class TableTraffic(RunRecord):
    """What reading a table cost; shares are null without rows, ``waited`` is in seconds."""

    requests: int = 0
    bytes: int = 0
    rows: int = 0
    retries: int = 0
    throttled: int = 0
    waited: float = 0.0
    requests_per_1000: float | None = None
    bytes_per_1000: float | None = None


class TableChanges(RunRecord):
    """Rows of a table that changed since the last read."""

    added: int
    changed: int
    deleted: int


class SalesRead(RunRecord):
    """A live Sales as a plan read it; empty where files are the source."""

    system: str = ""
    organization: OrganizationRead = OrganizationRead()
    refreshed_from: str | None = None
    """The run whose tables were refreshed."""
    read_since: Moment | None = None
    """When the first of its rows were read: before the run, if it went on after a stop."""
    totals: tuple[TableTotal, ...] = ()
    traffic: Mapping[str, TableTraffic] = {}
    changes: Mapping[str, TableChanges] = {}


class ScmSeen(RunRecord):
    """A live SCM as a plan found it; empty where none was asked."""

    system: str = ""
    legal_entities: Mapping[str, str] = {}
    customers: int | None = None
    contact_persons: int | None = None
    labels: Mapping[str, str | None] = {}


class Numbers(RunRecord):
    """The contact numbers that a backfill wants: how many, from which counter, of which form."""

    count: int = 0
    highest: int = 0
    """The highest number that a contact has; 0 without any."""
    prefix: str = ""
    suffix_length: int = 0
    base: int = 0
    """The first number, as far as the plan can tell."""
    next: int = 0
    counter: str | None = None
    """The id of the counter's row; null where there is none."""
    counter_etag: str | None = None
    seed: str = ""


class KeptFacts(RunRecord):
    """What a plan keeps so that it can be made again.

    ``memory`` says what became of the memory of loads: ``none`` was there, it is ``kept`` in the
    folder, or it was too ``large``.
    """

    memory: Literal["none", "kept", "large"] = "none"
    named_lookups: tuple[str, ...] = ()
    """Tables whose form writes names where ids belong."""
    month_first: tuple[str, ...] = ()
    """Tables whose dates have the month before the day."""


class RunFacts(RunRecord):
    """What was known of a run at its start, and what it read."""

    run: str
    kind: Kind
    command: str = ""
    retry_of: str | None = None
    undo_of: str | None = None
    undo_of_kind: Kind | None = None
    started_at: Moment
    versions: Mapping[str, str] = {}
    fingerprints: Mapping[str, str] = {}
    settings: Mapping[str, Setting]
    project: str | None = None
    """The project file; null where there was none."""
    live_source: bool = False
    sales: SalesRead = SalesRead()
    scm: ScmSeen = ScmSeen()
    destination: DestinationFacts = DestinationFacts()
    request: Requested = Requested()
    sources: tuple[SourceRead, ...] = ()
    delta: tuple[DeltaRead, ...] = ()
    """The tables that came from Delta tables."""
    columns: Mapping[str, Mapping[str, str]] = {}
    """Table → catalogue column → column of the source."""
    landed: Mapping[str, tuple[str, ...]] = {}
    """Table → the files that its rows are in, from the run folder on."""
    kept: KeptFacts | None = None
    """Null for an undo, and for runs of earlier versions of p2c."""
    host: str = ""
    user: str = ""
    backfill: Numbers | None = None
    """Null except for a backfill."""

    @property
    def is_undo(self) -> bool:
        """Whether it takes back what another run did."""
        return self.kind is Kind.UNDO

    @property
    def fills_sales(self) -> bool:
        """Whether its rows are for Sales: a backfill, or the undo of one."""
        return Kind.BACKFILL in (self.kind, self.undo_of_kind)

    @property
    def is_write_back(self) -> bool:
        """Whether it writes into a live Sales."""
        return self.live_source and self.fills_sales

    def text(self, key: str) -> str | None:
        """A setting's value as text; null where it is not set."""
        found = self.settings.get(key)
        return None if found is None or found.value is None else str(found.value)


def make_blank_facts(run: str) -> RunFacts:
    """What stands for a ``run.json`` that cannot be read."""
    began = datetime.min.replace(tzinfo=UTC)
    return RunFacts(run=run, kind=Kind.MAIN, started_at=began, settings={})
