"""Contacts of a run, found by a text or by what became of them, page by page.

Names and mails are read where the run has them, and kept nowhere: what is remembered of a search is
the places of rows.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import duckdb
import polars as pl

from pipeline.audit.accepted import list_marks
from pipeline.audit.findings import MEMORY
from pipeline.audit.source import view_rows
from pipeline.errors import UsageError
from pipeline.run.evidence import Evidence
from pipeline.run.room import open_room
from schemas.catalogue import Table
from schemas.run import FINDINGS, OUTCOMES
from schemas.sales import ACCOUNTS, CONTACTS
from schemas.text import WHITE_SPACE
from sql.query import Value, query
from sql.session import Session, session

NEEDS: Final = "needs"
"""Stands for all decisions that a person must look at, and for rows that SCM refused."""
FAILED: Final = "failed"
"""Stands for rows that SCM refused, or of which it is not known whether they arrived."""

_PERSON: Final = (
    "fullname", "firstname", "middlename", "lastname",
    "emailaddress1", "emailaddress2", "emailaddress3", "ownerid",
)  # fmt: skip
_COMPANY: Final = ("accountid", "accountnumber", "name")
_PLACE: Final = {"source_file": pl.String, "source_line": pl.Int64}
_OWNERS: Final = 200
_ROWS: Final = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which contacts are looked for; what is null does not matter."""

    text: str | None = None
    """In number, name, mail, or the company's number or name; or a contactid."""
    person: str | None = None
    """In name or mail."""
    decision: str | None = None
    code: str | None = None
    legal_entity: str | None = None
    owner: str | None = None


class FoundContact(NamedTuple):
    """A contact that was found, with what its row says of it."""

    place: int
    contactid: str | None
    contact_number: str | None
    decision: str
    reason: str
    legal_entity: str | None
    company_id: str | None
    company_key: str | None
    source_file: str
    source_line: int
    outcome: str | None
    outcome_code: str | None
    name: str | None
    mail: str | None
    owner: str | None
    accepted_until: date | None
    accepted_why: str | None


class Choice(NamedTuple):
    """A legal entity or owner, and its number of contacts."""

    name: str
    rows: int


@dataclass(kw_only=True, slots=True)
class ContactSearch:
    """Searches in one run, one at a time.

    ``has_people`` and ``has_companies`` say whether the rows are there that names are in.
    """

    evidence: Evidence
    has_people: bool
    has_companies: bool
    _session: Session
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: Wanted | None = None
    _rows: int = 0

    def find(self, wanted: Wanted, first: int, rows: int) -> tuple[list[FoundContact], int]:
        """The contacts of a page in source order, and how many there are on all pages."""
        with self._lock:
            self._choose(wanted)
            frame = self._session.frame(query("audit/chosen_rows"), first=first, rows=rows)
            return [FoundContact(**row) for row in frame.iter_rows(named=True)], self._rows

    def list_ids(self, wanted: Wanted) -> Iterator[Sequence[str]]:
        """The valid contactids of all contacts that are wanted, many at a time."""
        with self._lock:
            self._choose(wanted)
            for batch in self._session.stream(query("audit/chosen_ids"), _ROWS):
                yield batch.column(0).to_pylist()

    def list_legal_entities(self) -> list[Choice]:
        """The legal entities of the run; a blank name stands for none."""
        with self._lock:
            frame = self._session.frame(query("audit/legal_entities"))
            return [Choice(*row) for row in frame.iter_rows()]

    def list_owners(self) -> list[Choice]:
        """Owners of contacts that a person must look at, the largest first; not all if many."""
        with self._lock:
            frame = self._session.frame(query("audit/owners_by_rows"), most=_OWNERS)
            return [Choice(*row) for row in frame.iter_rows()]

    def interrupt(self) -> None:
        """End the search that runs, if one does, with an error."""
        self._session.interrupt()

    def _choose(self, wanted: Wanted) -> None:
        """Keep the places of what is wanted. The next page then need not look again."""
        if wanted == self._last:
            return
        self._last = None
        here, chosen = self._session, "decided"
        here.store("unsettled", query("audit/unsettled"))
        for name, values in _list_conditions(wanted):
            if name == "of_text":
                here.view("of_person", query("audit/of_person", chosen=chosen), **values)
            here.view(name, query(f"audit/{name}", chosen=chosen), **values)
            chosen = name
        here.store("chosen", query("audit/chosen", chosen=chosen))
        self._rows = here.frame(query("plan/count_rows", rows="chosen")).item()
        self._last = wanted


def _list_conditions(wanted: Wanted) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """The queries that each leave what is wanted, the cheapest first."""
    if wanted.decision is not None:
        yield "of_decision", {"decision": wanted.decision}
    if wanted.legal_entity is not None:
        yield "of_legal_entity", {"legal_entity": wanted.legal_entity}
    if wanted.code is not None:
        yield "of_code", {"code": wanted.code}
    if wanted.owner is not None:
        yield "of_owner", {"owner": wanted.owner}
    if wanted.person is not None:
        yield "of_person", {"text": wanted.person.lower()}
    if wanted.text is not None:
        yield "of_text", {"text": wanted.text.strip(WHITE_SPACE).strip("{}").lower()}


@contextlib.contextmanager
def open_search(evidence: Evidence) -> Iterator[ContactSearch]:
    """Searches in a run, until the block ends.

    Raises:
        UsageError: the run's decisions are gone or cannot be read.
    """
    folder = evidence.folder
    with (
        open_room("search") as scratch,
        session(memory=MEMORY, scratch=scratch) as here,
    ):
        try:
            here.parquet("decision_rows", folder.decisions, places=True)
            here.parquet("outcomes", folder.outcomes, schema=OUTCOMES)
            here.parquet("findings", folder.findings, schema=FINDINGS)
            here.store("unsettled", query("audit/unsettled"))
            here.view("decided", query("audit/decided"))
            here.register("accepted", list_marks(evidence))
        except duckdb.Error as error:
            raise UsageError(
                "the decisions of this run cannot be read, so its contacts cannot be found. "
                f"`p2c verify {folder.run}` says more.",
                where=str(folder.run),
            ) from error
        yield ContactSearch(
            evidence=evidence,
            has_people=_view_read(here, evidence, CONTACTS, _PERSON, "people"),
            has_companies=_view_read(here, evidence, ACCOUNTS, _COMPANY, "companies"),
            _session=here,
        )


def _view_read(
    here: Session, evidence: Evidence, table: Table, columns: Sequence[str], name: str
) -> bool:
    """Name rows of a source table, every column there and null where the source has none.

    Returns whether the rows are there; the view has none of them otherwise.
    """
    blank = f"{name}_without_rows"
    schema = {**dict.fromkeys(columns, pl.String), **_PLACE}
    here.register(blank, pl.Schema(schema).to_frame())
    known = evidence.run.columns.get(table.name, {})
    is_there = False
    with contextlib.suppress(duckdb.Error):  # A file that was cut is as good as none.
        is_there = bool(known) and view_rows(
            here, evidence, table, [one for one in columns if one in known]
        )
    if not is_there:
        here.view(f"{table.name}_read", query("audit/as_it_is", of=blank))
    here.view(name, query(f"audit/{name}"))
    return is_there
