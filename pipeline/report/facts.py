"""Everything that the page says, as data.

A pure function of the run folder, without values unless they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from pydantic import JsonValue

from pipeline.audit.findings import FindingGroup, generalize, group_findings
from pipeline.report import tables
from pipeline.report.flow import FlowColumn, FlowLink
from pipeline.report.picture import make_flow
from pipeline.report.throughput import Span
from pipeline.run.evidence import Evidence, Trouble, gather_evidence
from pipeline.run.facts import DeltaRead, Kind, Setting, SourceRead
from pipeline.run.folder import RunFolder
from pipeline.run.summary import Equation, Summary, TaskChanges, ValueMap
from pipeline.show import run_text
from schemas.codes import load_codes
from schemas.text import parse_guid

_PERSON: Final = ("error", "hold", "also")
_CUT: Final = ("truncated", "blanked", "line_break_replaced")
_FIRST: Final = (
    "no_contacts",
    "nothing_selected",
    "only_not_found",
    "file_ignored",
    "folder_missing",
    "row_count_suspicious",
    "column_missing",
    "flag_not_read",
    "flag_never_set",
    "units_not_named",
    "memory_missing",
    "accounts_assumed",
    "company_changed",
    "promoted",
    "demoted",
    "no_longer_routed",
    "no_longer_in_source",
    "would_clear",
    "legal_entity_changed",
    "counts_disagree",
)
_NOT_TAKEN: Final = {Kind.BACKFILL: "Contacts that Sales did not accept"}
_LONG: Final = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Findings of one code at one column.

    How many, in plain words, what to do, and the command that retries.
    """

    code: str
    severity: str
    column: str
    rows: int
    sentence: str
    advice: str
    example: str | None
    retry: str | None
    values: tuple[str, ...] = ()


class Reason(TypedDict):
    """Contacts of one decision and reason, in plain words."""

    decision: str
    reason: str
    rows: int
    sentence: str
    advice: str


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
    not_taken: str
    """Heading of the rows that failed."""
    with_values: bool
    troubles: tuple[Trouble, ...]
    about: tuple[tuple[str, str], ...]
    equations: tuple[Equation, ...]
    columns: tuple[FlowColumn, ...]
    links: tuple[FlowLink, ...]
    reasons: tuple[Reason, ...]
    first: tuple[Cause, ...]
    causes: tuple[Cause, ...]
    warnings: tuple[Cause, ...]
    flags: tuple[Cause, ...]
    cut: tuple[Cause, ...]
    failures: tuple[tables.FailureCause, ...]
    changes: tuple[tuple[str, TaskChanges], ...]
    """What the updates of each task change, and that in one sentence."""
    value_maps: tuple[ValueMap, ...]
    legal_entities: tuple[Mapping[str, str | int | None], ...]
    backfill: tuple[Mapping[str, object], ...]
    batches: tuple[Mapping[str, object], ...]
    batch_totals: tuple[tables.BatchTotal, ...]
    spans: tuple[Span, ...]
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
    verdict = summary.verdict if "verdict" in evidence.summary_says else "unknown"
    causes = _list_causes(evidence, values=values)
    outcomes = tables.count_outcomes_by_task(evidence) if kind.is_load else None
    columns, links = make_flow(evidence, outcomes)
    found = tables.read_batches(evidence) if folder.batches.is_file() or kind.is_load else None
    place = _place_causes(causes)
    return PageFacts(
        run=folder.run,
        kind=kind,
        verdict=verdict,
        sentence=_explain_verdict(evidence, verdict),
        with_values=values,
        about=tuple(_describe_run(evidence)),
        equations=summary.equations,
        columns=columns,
        links=links,
        reasons=tuple(_list_reasons(summary)),
        first=place["first"],
        causes=place["causes"],
        warnings=place["warnings"],
        flags=place["flags"],
        cut=place["cut"],
        failures=tuple(tables.list_failures(evidence, values=values)),
        is_load=kind.is_load,
        not_taken=_NOT_TAKEN.get(kind, "Rows that SCM did not accept"),
        changes=tuple((run_text.explain_changes(one), one) for one in summary.changes),
        value_maps=summary.value_maps,
        legal_entities=tuple((kind.is_load and tables.count_legal_entities(evidence)) or ()),
        backfill=tuple((kind is Kind.BACKFILL and tables.count_backfilled(evidence)) or ()),
        batches=() if found is None else tuple(found.iter_rows(named=True)),
        batch_totals=() if found is None else tuple(tables.total_batches(found)),
        spans=() if found is None else tuple(tables.list_spans(found)),
        throttling=_describe_throttling(evidence),
        reconciliation=_read_reconciliation(evidence),
        fingerprints=tuple(evidence.run.fingerprints.items()),
        sources=evidence.run.sources,
        delta=evidence.run.delta,
        versions=tuple(evidence.run.versions.items()),
        settings=tuple(_list_settings(evidence.run.settings)),
        troubles=tuple(evidence.troubles),
    )


def _place_causes(causes: Sequence[Cause]) -> dict[str, tuple[Cause, ...]]:
    """The causes by the place of the page that shows them."""
    later = [one for one in causes if one.code not in _FIRST]
    warnings = [one for one in later if one.severity == "warning"]
    flags = [one for one in warnings if one.code.startswith("flag_")]
    others = [one for one in warnings if not one.code.startswith("flag_")]
    return {
        "first": tuple(one for one in causes if one.code in _FIRST),
        "causes": tuple(one for one in later if one.severity in _PERSON),
        "warnings": tuple(one for one in others if one.code not in _CUT),
        "flags": tuple(flags),
        "cut": tuple(one for one in causes if one.code in _CUT),
    }


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
        ("Began", run.started_at.isoformat() if "started_at" in evidence.run_says else None),
        ("Last step", finished),
        ("From", _name_source(evidence)),
        (
            "Into",
            (
                f"{destination.name or 'unknown'} by {destination.load or 'unknown'}, "
                f"legal entities: {entities}"
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
    return f"{rows:,} rows that had been confirmed as created or updated" if late else ""


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


def _list_reasons(summary: Summary) -> Iterator[Reason]:
    for name, rows in sorted(summary.reasons.items(), key=lambda one: (-one[1], one[0])):
        decision, _, reason = name.partition("/")
        known = load_codes().get(reason)
        yield {
            "decision": decision,
            "reason": reason,
            "rows": rows,
            "sentence": generalize(known.sentence)
            if known
            else "Another version of p2c wrote this reason.",
            "advice": known.advice if known else "",
        }


def _explain_verdict(evidence: Evidence, verdict: str) -> str:
    """The verdict in one line, as the terminal shows it."""
    if not {"verdict", "counts", "outcomes", "findings"} <= evidence.summary_says:
        return f"The verdict is {verdict}; summary.json does not say why."
    word, reason = run_text.explain_verdict(evidence.summary)
    return f"{word.capitalize()}: {reason}"


def _list_causes(evidence: Evidence, *, values: bool) -> list[Cause]:
    if not (evidence.folder.findings.is_file() or evidence.kind.is_load):
        return []
    samples = tables.read_samples(evidence) if values else {}
    return [
        Cause(
            code=one["code"],
            severity=one["severity"],
            column=" ← ".join(name for name in (one["destination"], one["column"]) if name),
            rows=one["rows"],
            sentence=" ".join(text for text in (one["message"], one["named"]) if text),
            advice=one["advice"],
            example=_pick_contactid(one["example"]),
            retry=f"p2c retry {evidence.folder.run} --code {one['code']}"
            if _can_retry(one)
            else None,
            values=tuple(samples.get((one["code"], one["column"], one["destination"]), ())),
        )
        for one in group_findings(evidence) or []
    ]


def _pick_contactid(example: str | None) -> str | None:
    """The contactid if it is valid. What is in its place could be anything, even a name."""
    return None if example is None else parse_guid(example)


def _can_retry(one: FindingGroup) -> bool:
    return one["severity"] in ("error", "hold") and _pick_contactid(one["example"]) is not None


def _describe_throttling(evidence: Evidence) -> str:
    counts = evidence.summary.throttling
    if counts:
        return ", ".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in counts.items())
    events = [entry for entry in evidence.entries if entry.event == "throttled"]
    if events:
        waited = sum(float(entry.payload.get("seconds", 0)) for entry in events)
        return f"SCM asked {len(events):,} times to wait, {waited:,.1f} s in all."
    if evidence.run.destination.load == "folder":
        return "Nothing was sent over the network: a load into a folder cannot be throttled."
    return "None was recorded."


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
