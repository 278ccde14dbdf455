"""Making a backfill's plan: landed contacts, documents and counters → actions, ranks, evidence. It writes its run folder only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import Any, Final

import polars as pl

from pipeline import known
from pipeline.backfill.deciding import findings_of, planned
from pipeline.backfill.numbering import Origin, base_of, origin
from pipeline.backfill.results import PLAN, RESULT
from pipeline.errors import InvariantBroken
from pipeline.events import Listener, Step
from pipeline.extract.landing import Landed
from pipeline.folder import Clock, RunFolder, TableWriter, building, new_run, sha256_of, write_json, write_table
from pipeline.journal import Journal
from pipeline.plan import (
    Planning,
    Request,
    findings_of_run,
    landed_view,
    md5_of,
    run_facts,
    sessions,
    source_hashes,
    unreadable_rows,
)
from pipeline.project import Project
from pipeline.sources import landed_source
from pipeline.transform.prepare import NO_ROWS, Routing, RunFinding, prepare
from schemas.codes import code
from schemas.run import BACKFILL, BACKFILL_ACTIONS, BATCHES, FINDINGS, OUTCOME_NAMES, OUTCOMES
from sql.session import Session, query

TABLES: Final = ("contacts", "accounts", "quotes", "salesorders", "invoices", "msdynce_p2cautonumbers")
_WISHED: Final = ("createdon", "versionnumber")
_ROW_BYTES: Final = 600
"""Of one conditional update in a batch, as the sandbox gets it."""
_RATE: Final = 50.0
"""Rows a second, assumed."""


def make_backfill(project: Project, request: Request, runs: Path, clock: Clock, listener: Listener) -> RunFolder:
    """Plan a backfill.

    Returns:
        The run folder, whole.

    Raises:
        Refused: project or source are wrong, or numbers would become too long; nothing was written.
        Stopped: the disk or another part of the world failed.
    """
    run = new_run(clock)
    with building(runs, run) as folder:
        planning = Planning(project=project, request=request, folder=folder, listener=listener)
        started = clock()
        planning.source = landed_source(project, folder, runs, listener, changes=False, tables=TABLES, wished=_WISHED)
        landed = planning.source.landed
        with ThreadPoolExecutor(1) as hashing:
            hashes = source_hashes(landed, hashing)
            with sessions(planning) as (main, hasher):
                made = _Backfill(planning, main, hasher)
                made.run()
            sources = {path: future.result() for path, future in hashes.items()}
        facts = run_facts(planning, str(run), started.isoformat(), landed, sources)
        write_json(folder.run_json, {**facts, "kind": "backfill", "backfill": made.numbers})
        told = made.summary(str(run), landed)
        files = {path.name: sha256_of(path) for path in (folder.run_json, folder.findings, folder.path / PLAN)}
        files |= {f"source/{path.name}": sha256_of(path) for path in sorted(folder.source.glob("*.parquet"))}
        with Journal.open(folder.journal, clock) as journal:
            told["journal"] = journal.append("planned", run=str(run), files=files, balanced=told["balanced"])
        write_json(folder.summary, told)
    return RunFolder(runs / run)


class _Backfill:
    """One backfill while it is planned."""

    def __init__(self, planning: Planning, main: Session, hasher: Session) -> None:
        self._planning = planning
        self._main = main
        self._md5 = md5_of(hasher)
        self._settings = planning.project.settings
        self._origin = Origin(prefix="", next=0, suffix_length=0)
        self._run_findings: list[RunFinding] = []
        self._rows = 0
        self._states: dict[str, int] = {}
        self.actions: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.numbers: dict[str, Any] = {}

    def run(self) -> None:
        """Read, decide, write."""
        self._prepare()
        count = self._number()
        self._write()
        if count != self.actions["number"] + self.actions["both"]:
            raise InvariantBroken("contacts that get a number are not as many as ranks.")

    def _prepare(self) -> None:
        """Everything that ``sql/backfill_contacts.sql`` reads."""
        main, request, landed = self._main, self._planning.request, self._planning.source.landed
        for table in landed.values():
            main.view(f"{table.table}_landed", landed_view(table))
        if "accounts" not in landed:
            main.view("accounts_landed", NO_ROWS)
        only = None if request.only is None else known.only_ids(request.only)
        self._planning.listener(Step(name="looking for repeats", done=0))
        prepared = prepare(
            main,
            {*landed, "accounts"},
            Routing(
                legal_entity=None,
                organizations={},
                filter=self._settings.source.filter,
                hold_blank_flags=False,
                number_pattern=self._settings.source.contact_number_pattern,
                only=only,
            ),
        )
        self._run_findings += self._planning.source.findings
        self._rows = prepared.rows
        state = "coalesce(s.state, CASE WHEN c.isdelete THEN 'deleted' ELSE 'current' END)"
        counted = main.frame(
            f"SELECT count(*) FILTER (WHERE {state} = 'superseded') AS superseded, "
            f"count(*) FILTER (WHERE {state} = 'deleted') AS deleted "
            "FROM contacts AS c LEFT JOIN contact_states AS s ON s.source_row = c.source_row"
        )
        self._states = {name: int(value or 0) for name, value in counted.row(0, named=True).items()}
        statuses = [int(one) for one in (self._settings.backfill.statuses or "").split(",") if one.strip()]
        main.store("every_document", query("backfill_documents"), statuses=statuses)
        main.view(
            "documents",
            "SELECT kind, customerid AS contactid, createdon, document FROM every_document "
            "WHERE customerid IS NOT NULL AND customer_type IS DISTINCT FROM 'account' "
            "AND (customer_type = 'contact' OR customerid NOT IN (SELECT accountid FROM accounts))",
        )
        main.store("evidence", query("backfill_activity"))
        self._run_findings += [RunFinding(code=name, detail=f"{count:,}") for name, count in self._strays().items() if count]

    def _strays(self) -> Mapping[str, int]:
        """Documents that raise nobody's flag."""
        counts = self._main.frame(
            "SELECT count(*) FILTER (WHERE customerid IS NULL) AS activity_of_nobody, "
            "(SELECT count(*) FROM every_document) - count(*) FILTER (WHERE customerid IS NULL) "
            "- (SELECT count(*) FROM documents) AS activity_of_account, "
            "(SELECT count(*) FROM documents ANTI JOIN contacts USING (contactid)) AS activity_of_missing FROM every_document"
        )
        return {name: int(value or 0) for name, value in counts.row(0, named=True).items()}

    def _number(self) -> int:
        """Settle the counter; how many numbers are planned."""
        self._origin = source = origin(self._main.frame(query("backfill_counters")).to_dicts())
        self._run_findings += [RunFinding(code=name, detail=detail) for name, detail in source.findings]
        highest = int(self._main.frame(query("backfill_highest"), pattern=source.pattern).item())
        request = self._planning.request
        self._main.store(
            "backfill_rows",
            query("backfill_contacts"),
            has_only=request.only is not None,
            limit=-1 if request.limit is None else request.limit,
            numbering=source.is_usable,
            null_to_no=self._settings.backfill.null_to_no,
            fix_company_flag=self._settings.backfill.fix_company_flag,
            number_pattern=self._settings.source.contact_number_pattern,
        )
        count = int(self._main.frame("SELECT count(rank) FROM backfill_rows").item())
        base = base_of(source, highest, count)
        if source.id is not None and highest >= source.next:
            self._run_findings.append(RunFinding(code="counter_behind", detail=f"{source.prefix}-{base:05d}"))
        self.numbers = {
            "count": count,
            "highest": highest,
            "prefix": source.prefix,
            "suffix_length": source.suffix_length,
            "base": base,
            "next": source.next,
            "counter": source.id,
            "counter_etag": source.etag,
            "seed": self._settings.backfill.seed,
        }
        return count

    def _write(self) -> None:
        folder = self._planning.folder
        result = pl.Schema({name: kind for name, kind in BACKFILL.items() if name != "suffix"})
        reader = self._main.stream(
            "SELECT * FROM backfill_rows ORDER BY rank NULLS LAST, source_row", self._settings.run.morsel_rows
        )
        done = 0
        with (
            TableWriter(folder.path / PLAN, BACKFILL) as plan,
            TableWriter(folder.path / RESULT, result) as preview,
            TableWriter(folder.findings, FINDINGS) as findings,
        ):
            findings.write(unreadable_rows(self._planning.source.landed))
            for batch in reader:
                rows = pl.DataFrame(batch)
                frame = planned(rows, self._origin, self.numbers["base"], self.numbers["seed"], self._md5)
                plan.write(frame)
                preview.write(frame.select(result.names()))
                found = findings_of(rows)
                findings.write(found)
                self.findings.update(dict(found["code"].value_counts().iter_rows()))
                self.actions.update(dict(frame["action"].value_counts().iter_rows()))
                done += rows.height
                self._planning.listener(Step(name="planning", done=done, total=self._rows))
            findings.write(findings_of_run(self._run_findings))
        self.findings.update(one.code for one in self._run_findings)
        write_table(folder.outcomes, OUTCOMES.to_frame())
        write_table(folder.batches, BATCHES.to_frame())

    def summary(self, run: str, landed: Mapping[str, Landed]) -> dict[str, Any]:
        """``summary.json`` of the plan.

        Raises:
            InvariantBroken: an equation does not balance.
        """
        contacts = sum(self.actions.values())
        unreadable = len(landed["contacts"].unreadable)
        pending = contacts - self.actions["none"]
        outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": pending}
        terms = {"contacts": contacts, **self._states, "unreadable": unreadable}
        total = landed["contacts"].rows + unreadable
        counts = {one: self.actions[one] for one in BACKFILL_ACTIONS}
        equations = [
            _equation("rows = contacts + superseded + deleted + unreadable", total, terms),
            _equation(
                "contacts = number + activate + both + other + none",
                contacts,
                counts,
            ),
            _equation("planned = created + updated + unchanged + written + failed + unknown + pending", pending, outcomes),
        ]
        if not all(one["balanced"] for one in equations):
            raise InvariantBroken(f"the equations of the backfill do not balance: {equations}.")
        errors = any(str(code(name).severity) == "error" for name in self.findings)
        return {
            "run": run,
            "kind": "backfill",
            "applied": False,
            "verdict": "attention" if errors else "clean",
            "balanced": True,
            "equations": equations,
            "counts": counts,
            "reasons": {},
            "findings": dict(sorted((self.findings + Counter(row_unreadable=unreadable)).items())),
            "counted": [
                {"code": one.code, "detail": one.detail, "column": one.column} for one in self._run_findings if one.detail
            ],
            "outcomes": outcomes,
            "actions": [],
            "value_maps": [],
            "forecast": self._forecast(pending),
            "numbers": self.numbers,
        }

    def _forecast(self, pending: int) -> dict[str, Any]:
        """What applying will cost: requests of a live Sales, none for files."""
        requests = ceil(pending / self._settings.backfill.request_rows) if self._planning.source.is_live else 0
        told = "assumed; a Sales was not measured" if requests else "assumed; files are written as fast as the disk takes them"
        return {
            "requests": requests,
            "bytes": pending * _ROW_BYTES,
            "minutes": round(pending / _RATE / 60, 1) if requests else 0.0,
            "rate": _RATE if requests else 0.0,
            "rate_from": told,
        }


def _equation(text: str, left: int, terms: Mapping[str, int]) -> dict[str, Any]:
    total = sum(terms.values())
    return {"equation": text, "left": left, "right": total, "terms": dict(terms), "balanced": left == total}
