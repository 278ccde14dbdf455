"""The journal as a load reads and writes it: which units were begun, which ended, and with what.

A unit is what is sent at once: a batch as a package, or one request's share of a batch. Before each
attempt stands an *intent*, after it a *done*; the *done* that carries ``final`` ends the unit and
says what became of its rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from pipeline.run.files import hash_file, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Entry, Journal, find_unfinished

REFUSED: Final = pl.Schema(
    {"destination_key": pl.String, "outcome": pl.String, "code": pl.String, "message": pl.String}
)
"""One row per planned row whose outcome is not the one that its action foresaw."""
Place = tuple[str, int]
"""Legal entity and number of a batch, within one task."""

IMPORT: Final = "import"
ODATA: Final = "odata"
_SEEN: Final = "import_seen"
_EFFECTS: Final = frozenset({IMPORT, ODATA})


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What is sent at once.

    ``part`` counts the requests of a batch from 1; 0 is the batch as a package.
    """

    task: str
    legal_entity: str
    batch: int
    part: int = 0

    @property
    def name(self) -> str:
        """As files are named after it: ``usmf-3``, ``usmf-3-12``."""
        return f"{self.legal_entity}-{self.batch}" + (f"-{self.part}" if self.part else "")

    @property
    def ids(self) -> dict[str, object]:
        """As the journal names it."""
        return {
            "task": self.task,
            "legal_entity": self.legal_entity,
            "batch": self.batch,
            "part": self.part,
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Unit:
        """The unit that a line of the journal speaks of."""
        return cls(
            task=payload["task"],
            legal_entity=payload["legal_entity"],
            batch=payload["batch"],
            part=payload["part"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PastImport:
    """An import that an earlier start began: the ids of its intent, and when that was written.

    ``result`` is what the journal says came of it, null if nothing. ``seen`` says that SCM has
    shown it once.
    """

    ids: Mapping[str, object]
    since: dt.datetime
    result: str | None
    seen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedUnit:
    """A unit that ended: the payload of its last line, when it was first sent, when it ended."""

    unit: Unit
    facts: Mapping[str, Any]
    sent_at: dt.datetime
    ended_at: dt.datetime


class Ledger:
    """A run's journal, open, and what stood in it when it was opened."""

    def __init__(self, folder: RunFolder, journal: Journal) -> None:
        self.folder = folder
        self.journal = journal
        self._ended = frozenset(one.unit for one in list_ended_units(journal.entries))
        self._waiting = {entry.line for entry in find_unfinished(journal.entries)}
        self._attempts: dict[Unit, list[Entry]] = {}
        for entry in journal.entries:
            if entry.event == "intent" and entry.payload.get("effect") in _EFFECTS:
                self._attempts.setdefault(Unit.of(entry.payload), []).append(entry)
        self._seen = {one.payload["execution_id"] for one in journal.entries if one.event == _SEEN}
        self._results = _list_results(journal.entries)

    def is_ended(self, unit: Unit) -> bool:
        """Whether a unit needs nothing more."""
        return unit in self._ended

    def attempts(self, unit: Unit) -> list[Entry]:
        """The intents of a unit, oldest first."""
        return self._attempts.get(unit, [])

    def under_way(self, unit: Unit) -> Entry | None:
        """The last intent of a unit if nothing says what came of it."""
        attempts = self.attempts(unit)
        return attempts[-1] if attempts and attempts[-1].line in self._waiting else None

    def list_imports(self, unit: Unit) -> list[PastImport]:
        """The imports of a unit that earlier starts began, each once, oldest first.

        One whose intent was written several times counts with the last time.
        """
        last = {entry.payload["execution_id"]: entry for entry in self.attempts(unit)}
        return [
            PastImport(
                ids=dict(entry.payload),
                since=dt.datetime.fromisoformat(entry.at),
                result=self._results.get(entry.line),
                seen=execution in self._seen,
            )
            for execution, entry in last.items()
        ]

    def note_seen(self, unit: Unit, execution: str) -> None:
        """Write down that SCM has shown an import: it is never sent again."""
        self.journal.append(_SEEN, **unit.ids, execution_id=execution)

    def intend(self, effect: str, unit: Unit, **ids: object) -> dict[str, object]:
        """Write an intent; its ids, for the *done* that ends it."""
        whole = {**unit.ids, **ids}
        self.journal.intent(effect, **whole)
        return {"effect": effect, **whole}

    def close(self, ids: Mapping[str, Any], result: str) -> None:
        """End an attempt that did not end its unit."""
        self._write_done(ids, result=result, final=False)

    def end(
        self,
        ids: Mapping[str, Any],
        result: str,
        counts: Mapping[str, int],
        refused: pl.DataFrame,
        **facts: object,
    ) -> None:
        """End a unit: its refused rows are on disk first, then the line that counts its rows."""
        kept = self._keep(Unit.of(ids), refused)
        self._write_done(ids, result=result, final=True, **counts, **kept, **facts)

    def _write_done(self, ids: Mapping[str, Any], **facts: object) -> None:
        rest = {name: value for name, value in ids.items() if name != "effect"}
        self.journal.done(ids["effect"], **rest, **facts)

    def _keep(self, unit: Unit, refused: pl.DataFrame) -> dict[str, str]:
        if refused.is_empty():
            return {}
        path = self.folder.path / "answers" / unit.task / f"{unit.name}.parquet"
        write_table(path, refused)
        return {"file": path.relative_to(self.folder.path).as_posix(), "sha256": hash_file(path)}


def _list_results(entries: Iterable[Entry]) -> dict[int, str]:
    """Line of an import's intent → the result of the *done* that followed."""
    found: dict[int, str] = {}
    intents: dict[str, int] = {}
    for entry in entries:
        if entry.payload.get("effect") != IMPORT:
            continue
        execution = entry.payload["execution_id"]
        if entry.event == "intent":
            intents[execution] = entry.line
        elif entry.event == "done" and execution in intents:
            found[intents[execution]] = entry.payload["result"]
    return found


def list_ended_units(entries: Iterable[Entry]) -> list[EndedUnit]:
    """The units that ended, in the order of their ends.

    Of a unit that ended twice the last time counts.
    """
    begun: dict[Unit, dt.datetime] = {}
    found: dict[Unit, EndedUnit] = {}
    for entry in entries:
        if entry.payload.get("effect") not in _EFFECTS:
            continue
        unit, at = Unit.of(entry.payload), dt.datetime.fromisoformat(entry.at)
        begun.setdefault(unit, at)
        if entry.payload.get("final"):
            found[unit] = EndedUnit(
                unit=unit, facts=entry.payload, sent_at=begun[unit], ended_at=at
            )
    return list(found.values())


def list_unit_findings(units: Sequence[EndedUnit]) -> list[tuple[str, str]]:
    """Code and detail of what units said of the run as a whole."""
    return [(code, detail) for one in units for code, detail in one.facts.get("findings", ())]
