"""Everything that the page says, as data.

A pure function of the run folder, without values unless they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from pipeline.report import letter, tables
from pipeline.report.causes import Cause, Reason, list_causes, list_reasons
from pipeline.report.flow import FlowColumn, FlowLink
from pipeline.report.moments import format_duration, format_moment, format_size, parse_moment
from pipeline.report.picture import make_flow
from pipeline.report.throughput import Span
from pipeline.run.evidence import Evidence, Trouble, gather_evidence
from pipeline.run.facts import DeltaRead, Kind, Setting, SourceRead
from pipeline.run.folder import RunFolder
from pipeline.run.summary import Equation, SincePrevious, TaskChanges, ValueMap
from pipeline.show import run_text

_LONG: Final = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFacts:
    """What the page shows.

    Lists are whole here; the page cuts what would make it too long, and says so.
    """

    run: str
    kind: str
    verdict: str
    sentence: str
    is_load: bool
    title: str
    particulars: tuple[str, ...]
    """When, how long, from where and into what."""
    tiles: tuple[letter.Tile, ...]
    with_values: bool
    troubles: tuple[Trouble, ...]
    about: tuple[tuple[str, str], ...]
    equations: tuple[Equation, ...]
    columns: tuple[FlowColumn, ...]
    links: tuple[FlowLink, ...]
    reasons: tuple[Reason, ...]
    causes: tuple[Cause, ...]
    accepted: int
    accepted_notes: tuple[str, ...]
    """What is wrong with the list of accepted contacts."""
    since: SincePrevious
    changes: tuple[tuple[str, TaskChanges], ...]
    """What the updates of each task change, and that in one sentence."""
    changed_values: tuple[tables.ChangedValue, ...]
    """The first of them with their values, where values are shown."""
    value_maps: tuple[ValueMap, ...]
    legal_entities: tuple[tables.EntityCount, ...]
    backfill: tuple[Mapping[str, object], ...]
    batches: tuple[tables.Batch, ...]
    batch_totals: tuple[tables.BatchTotal, ...]
    spans: tuple[Span, ...]
    """When rows went over the network; empty for files."""
    throttling: str
    reconciliation: Mapping[str, JsonValue] | None
    fingerprints: tuple[tuple[str, str], ...]
    sources: tuple[SourceRead, ...]
    delta: tuple[DeltaRead, ...]
    versions: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str, str], ...]


def collect_page_facts(folder: RunFolder, *, values: bool = False) -> PageFacts:
    """Read a run folder. What cannot be read becomes a trouble; the rest is shown.

    Args:
        folder: the run, of any kind, planned or applied.
        values: add source values and SCM's own messages, which can be personal data.
    """
    evidence = gather_evidence(folder)
    summary, kind = evidence.summary, evidence.kind
    verdict = _find_verdict(evidence)
    outcomes = tables.count_outcomes_by_task(evidence) if kind.is_load else None
    columns, links = make_flow(evidence, outcomes)
    found = tables.read_batches(evidence) if folder.batches.is_file() or kind.is_load else None
    sent = found if evidence.run.destination.load != "folder" else None
    return PageFacts(
        run=folder.run,
        kind=kind,
        verdict=verdict,
        sentence=_explain_verdict(evidence, verdict),
        title=letter.name_run(evidence),
        particulars=tuple(letter.list_particulars(evidence, _name_source(evidence))),
        tiles=letter.make_tiles(evidence),
        with_values=values,
        about=tuple(_describe_run(evidence)),
        equations=summary.equations,
        columns=columns,
        links=links,
        reasons=tuple(list_reasons(summary)),
        causes=tuple(list_causes(evidence, values=values)),
        accepted=summary.accepted.contacts,
        accepted_notes=summary.accepted.notes,
        since=summary.since,
        is_load=kind.is_load,
        changes=tuple((run_text.explain_changes(one), one) for one in summary.changes),
        changed_values=tuple(tables.read_changes(evidence) if values else ()),
        value_maps=summary.value_maps,
        legal_entities=tuple((kind.is_load and tables.count_legal_entities(evidence)) or ()),
        backfill=tuple((kind is Kind.BACKFILL and tables.count_backfilled(evidence)) or ()),
        batches=() if found is None else tuple(tables.unpack_batches(found)),
        batch_totals=() if found is None else tuple(tables.total_batches(found)),
        spans=() if sent is None else tuple(tables.list_spans(sent)),
        throttling=_describe_throttling(evidence),
        reconciliation=_read_reconciliation(evidence),
        fingerprints=tuple(evidence.run.fingerprints.items()),
        sources=evidence.run.sources,
        delta=evidence.run.delta,
        versions=tuple(evidence.run.versions.items()),
        settings=tuple(_list_settings(evidence.run.settings)),
        troubles=tuple(evidence.troubles),
    )


def _describe_run(evidence: Evidence) -> list[tuple[str, str]]:
    run, summary = evidence.run, evidence.summary
    destination = run.destination
    entities = ", ".join(destination.legal_entities) or "none named"
    state = "applied" if summary.applied else "planned, not applied"
    finished = next(
        (entry.at for entry in reversed(evidence.entries) if entry.event in ("applied", "planned")),
        None,
    )
    pairs = [
        ("Run", f"{evidence.folder.run}, {evidence.kind}, {state}"),
        ("Began", format_moment(run.started_at) if "started_at" in evidence.run_says else None),
        ("Last step", format_moment(parse_moment(finished)) if finished else None),
        ("Organization", run.sales.organization.name),
        ("From", _name_source(evidence)),
        (
            "Into",
            (
                f"{destination.name or 'unknown'}, load {destination.load or 'unknown'}, "
                f"legal entities {entities}"
            ),
        ),
        ("Project", run.project or "none, flags only"),
        ("Retry of", summary.retry_of),
        ("Refused late", _describe_late(evidence)),
        ("By", " on ".join(name for name in (run.user, run.host) if name)),
        ("Last journal line", summary.journal),
    ]
    return [(name, text) for name, text in pairs if text]


def _describe_late(evidence: Evidence) -> str:
    """How many rows turned out to be refused after they had been confirmed."""
    late = [entry for entry in evidence.entries if entry.event == "refused_late"]
    rows = sum(int(entry.payload.get("rows", 0)) for entry in late)
    noun = "row" if rows == 1 else "rows"
    return f"{rows:,} {noun} confirmed as created or updated before" if late else ""


def _name_source(evidence: Evidence) -> str:
    """Where the run read from: the address, else the folder."""
    place = evidence.run.text("source.path") or ""
    if "://" in place:
        return place
    paths = [str(Path(one.path).parent) for one in evidence.run.sources if one.path]
    return (
        evidence.run.text("source.url")
        or (paths[0] if paths else evidence.run.text("source.path"))
        or ""
    )


def _find_verdict(evidence: Evidence) -> str:
    """That of the summary; a run that was begun and has not ended is stopped."""
    if evidence.started and not evidence.finished:
        return "stopped"
    return evidence.summary.verdict if "verdict" in evidence.summary_says else "unknown"


def _explain_verdict(evidence: Evidence, verdict: str) -> str:
    """The verdict in one line, as the terminal shows it."""
    if verdict == "stopped":
        return "Stopped: the run was begun and has not ended, so not everything was done."
    if not {"verdict", "counts", "outcomes", "findings"} <= evidence.summary_says:
        return f"The verdict is {verdict}; summary.json does not say why."
    word, reason = run_text.explain_verdict(evidence.summary)
    return f"{word.capitalize()}: {reason}"


def _describe_throttling(evidence: Evidence) -> str:
    """What the load cost on the wire, and how often a system asked to slow down."""
    counts = evidence.summary.throttling
    if counts:
        requests, size = int(counts.get("requests", 0)), int(counts.get("bytes", 0))
        repeated = int(counts.get("retries", 0))
        again = f" {repeated:,} of them were repeated." if repeated else ""
        waits = _describe_waits(int(counts.get("throttled", 0)), float(counts.get("waited", 0)))
        return f"{requests:,} requests, {format_size(size)}.{again} {waits}"
    events = [entry for entry in evidence.entries if entry.event == "throttled"]
    if events:
        waited = sum(float(entry.payload.get("seconds", 0)) for entry in events)
        return _describe_waits(len(events), waited)
    if evidence.run.destination.load == "folder":
        return "Nothing was sent over the network."
    return "No throttling was recorded."


def _describe_waits(times: int, seconds: float) -> str:
    if not times:
        return "The system never asked p2c to wait."
    often = "once" if times == 1 else f"{times:,} times"
    return f"The system asked p2c {often} to wait, {format_duration(seconds)} in all."


def _read_reconciliation(evidence: Evidence) -> Mapping[str, JsonValue] | None:
    path = evidence.folder.path / "reconciliation.json"
    if not path.is_file():
        return None
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        evidence.note(path, "cut", "reconciliation.json is not valid JSON: it was cut or altered.")
        return None
    return loaded if isinstance(loaded, dict) else None


def _list_settings(settings: Mapping[str, Setting]) -> Iterator[tuple[str, str, str]]:
    for name, one in settings.items():
        value = one.value
        text = (
            ""
            if value is None
            else value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False)
        )
        yield name, text if len(text) <= _LONG else f"{text[:_LONG]}…", one.origin
