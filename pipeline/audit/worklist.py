"""What people must repair in Sales.

A worklist per owner with links, and the rows themselves as a file to correct.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

import duckdb
import polars as pl

from pipeline.audit.accepted import list_marks
from pipeline.audit.findings import MEMORY
from pipeline.audit.record_links import RECORD
from pipeline.audit.source import view_contacts
from pipeline.errors import InvariantBroken, UsageError
from pipeline.run.evidence import Evidence
from pipeline.run.room import open_room
from pipeline.show.spreadsheet import write_csv
from schemas.codes import load_codes
from schemas.run import OUTCOMES
from sql.query import query
from sql.session import Session, session

_ROWS: Final = 65_536
_UNEXPLAINED: Final = (
    "SCM refused this row for a reason that p2c does not know. Read its message, correct the value "
    "in Sales or the setting in SCM, and load the row again with `p2c retry`."
)
_OUTCOMES: Final = pl.Schema(
    {name: OUTCOMES[name] for name in ("contactid", "outcome", "code", "message")}
)
"""What is read of outcomes."""


class OwnerContacts(TypedDict):
    """Contacts that need work, of one owner; null: not known."""

    owner: str | None
    contacts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Worklist:
    """What was written: rows, rows by owner (null: not known), and notes on what is missing."""

    rows: int
    owners: list[OwnerContacts]
    notes: tuple[str, ...]


def write_worklist_file(evidence: Evidence, to: Path, sales_url: str | None) -> Worklist:
    """Write the worklist as CSV, one row per contact that needs work, sorted by owner.

    Args:
        evidence: the run.
        to: the file.
        sales_url: where Sales is, for links. Null: the run's own ``source.url``; without it there
            are no links.

    Raises:
        UsageError: the address does not begin with https://, or the run has no decisions.
    """
    base = _parse_address(sales_url or evidence.run.text("source.url"))
    notes = (
        []
        if base
        else [
            "No links: say where Sales is with --sales-url https://<organisation>.crm.dynamics.com."
        ]
    )
    counts: dict[str | None, int] = {}
    accepted = 0
    with _open_tables(evidence) as here:
        notes += _name_owners(here, evidence)
        reader = here.stream(
            query("audit/worklist"), _ROWS, link=f"{base}{RECORD}" if base else None
        )

        def parts() -> Iterator[pl.DataFrame]:
            nonlocal accepted
            yield pl.DataFrame(reader.schema.empty_table())
            for batch in reader:
                frame = pl.DataFrame(batch)
                for owner, rows in frame.group_by("owner").len().iter_rows():
                    counts[owner] = counts.get(owner, 0) + rows
                accepted += frame["accepted_until"].count()
                yield frame

        rows = write_csv(to, parts(), visible=True)
    owners: list[OwnerContacts] = [
        {"owner": owner, "contacts": count}
        for owner, count in sorted(counts.items(), key=lambda one: (-one[1], one[0] or ""))
    ]
    if accepted:
        verb = "is" if accepted == 1 else "are"
        notes.append(f"{accepted:,} of them {verb} accepted for now: see accepted_until.")
    return Worklist(rows=rows, owners=owners, notes=tuple(notes))


def _name_owners(here: Session, evidence: Evidence) -> list[str]:
    """Make the view ``owners`` of contact rows; why it has no rows."""
    has_column = "ownerid" in evidence.run.columns.get("contacts", {})
    is_there = view_contacts(here, evidence, ["ownerid"] if has_column else None)
    if is_there and has_column:
        here.view("owners", query("audit/owners"))
        return []
    here.view("owners", query("audit/no_owners"))
    if is_there:
        return ["No owners: the source has no column ownerid."]
    return ["No owners: the rows that the run read are gone."]


def write_repair_rows(evidence: Evidence, to: Path) -> int:
    """Write the source rows that need work as CSV, to be corrected. The number of rows.

    ``p2c retry --corrected`` takes the corrected file. Rows without a valid contactid are left out:
    it would not be known which row a corrected one replaces. Cells that a spreadsheet would take
    for formulas get an apostrophe in front; ``retry`` removes it. Four columns before those of the
    source say what is wrong and what to do; ``retry`` does not read them.

    Raises:
        UsageError: the rows that the run read are gone.
    """
    columns = list(evidence.run.columns.get("contacts", {}))
    with _open_tables(evidence) as here:
        if not view_contacts(here, evidence, columns):
            raise UsageError(
                "the rows that the run read are gone; export them from Sales again.",
                where=str(evidence.folder.run),
            )
        reader = here.stream(query("audit/repair", columns=columns), _ROWS)
        empty = pl.DataFrame(reader.schema.empty_table())
        return write_csv(
            to,
            (
                part
                for batches in ([empty], (pl.DataFrame(batch) for batch in reader))
                for part in batches
            ),
        )


@contextlib.contextmanager
def _open_tables(evidence: Evidence) -> Iterator[Session]:
    """A session that knows ``needed`` and ``told`` of a run."""
    folder = evidence.folder
    if not folder.decisions.is_file():
        raise UsageError(
            "decisions.parquet is missing, so it is not known which contacts need work. "
            f"`p2c verify {folder.run}` says more."
        )
    codes = pl.DataFrame(
        [
            {"code": one.code, "rank": one.order, "advice": one.advice}
            for one in load_codes().values()
        ],
        schema={"code": pl.String, "rank": pl.Int64, "advice": pl.String},
    )
    with open_room("worklist") as scratch:
        try:
            with session(memory=MEMORY, scratch=scratch) as here:
                here.parquet("decisions", folder.decisions)
                here.parquet("outcomes", folder.outcomes, schema=_OUTCOMES)
                here.parquet("findings", folder.findings)
                here.register("codes", codes)
                here.register("accepted", list_marks(evidence))
                here.store("needed", query("audit/needed"))
                here.store("told", query("audit/told"), unexplained=_UNEXPLAINED)
                yield here
        except duckdb.Error as error:
            raise InvariantBroken(
                f"the tables of the run cannot be read. `p2c verify {folder.run}` says more.",
                where=folder.run,
            ) from error


def _parse_address(url: str | None) -> str | None:
    if url is None:
        return None
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise UsageError(f"--sales-url {url}: does not begin with https://.")
    return url.rstrip("/")
