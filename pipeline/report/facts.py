"""Everything that the page says, as data.

A pure function of the run folder, without values unless they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.audit.findings import grouped, plain
from pipeline.report import tables
from pipeline.report.flow import Column, Link
from pipeline.report.picture import flow_of
from pipeline.report.throughput import Span
from pipeline.run.evidence import Evidence, Trouble, gathered
from pipeline.run.folder import RunFolder
from pipeline.show import run_text
from schemas.codes import catalogue
from schemas.text import read_guid

_PERSON: Final = ("error", "hold", "also")
_CUT: Final = ("truncated", "blanked", "line_break_replaced")
_FIRST: Final = (
    "no_contacts", "flag_never_set", "accounts_assumed", "company_changed", "promoted", "no_longer_routed",
    "legal_entity_changed", "counts_disagree",
)  # fmt: skip
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
    equations: tuple[Mapping[str, Any], ...]
    columns: tuple[Column, ...]
    links: tuple[Link, ...]
    reasons: tuple[Mapping[str, Any], ...]
    first: tuple[Cause, ...]
    causes: tuple[Cause, ...]
    warnings: tuple[Cause, ...]
    flags: tuple[Cause, ...]
    cut: tuple[Cause, ...]
    failures: tuple[Mapping[str, Any], ...]
    value_maps: tuple[Mapping[str, Any], ...]
    legal_entities: tuple[Mapping[str, Any], ...]
    backfill: tuple[Mapping[str, Any], ...]
    batches: tuple[Mapping[str, Any], ...]
    batch_totals: tuple[Mapping[str, Any], ...]
    spans: tuple[Span, ...]
    throttling: str
    reconciliation: Mapping[str, Any] | None
    fingerprints: tuple[tuple[str, str], ...]
    sources: tuple[Mapping[str, Any], ...]
    versions: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str, str], ...]


def page_facts(folder: RunFolder, *, values: bool = False) -> PageFacts:
    """Read a run folder; what cannot be read is a trouble, the rest is shown.

    Args:
        folder: the run, of any kind, planned or applied.
        values: add source values and SCM's own messages, which can be personal data.
    """
    evidence = gathered(folder)
    summary = evidence.summary
    verdict = str(summary.get("verdict", "unknown"))
    is_load = evidence.kind in ("main", "retry")
    causes = _causes(evidence, values=values) if folder.findings.is_file() or is_load else []
    outcomes = tables.outcomes_by_task(evidence) if is_load else None
    columns, links = flow_of(evidence, outcomes)
    found = tables.batches(evidence) if folder.batches.is_file() or is_load else None
    backfill = tables.backfilled(evidence) if evidence.kind == "backfill" else []
    entities = tables.legal_entities(evidence) if is_load else []
    return PageFacts(
        run=str(folder.run),
        kind=evidence.kind,
        verdict=verdict,
        sentence=_sentence(summary, verdict),
        with_values=values,
        about=tuple(_about(evidence)),
        equations=tuple(summary.get("equations", ())),
        columns=columns,
        links=links,
        reasons=tuple(_reasons(summary)),
        first=tuple(one for one in causes if one.code in _FIRST),
        causes=tuple(one for one in causes if one.severity in _PERSON and one.code not in _FIRST),
        warnings=tuple(one for one in causes if _is_warning(one)),
        flags=tuple(
            one
            for one in causes
            if one.code.startswith("flag_") and one.code not in _FIRST and one.severity == "warning"
        ),
        cut=tuple(one for one in causes if one.code in _CUT),
        failures=tuple(_failures(evidence, is_load=is_load, values=values))
        if folder.outcomes.is_file() or is_load
        else (),
        is_load=is_load,
        not_taken="Contacts that Sales did not take"
        if evidence.kind == "backfill"
        else "Rows that SCM did not take",
        value_maps=tuple(summary.get("value_maps", ())),
        legal_entities=tuple(entities or ()),
        backfill=tuple(backfill or ()),
        batches=() if found is None else tuple(found.iter_rows(named=True)),
        batch_totals=() if found is None else tuple(tables.totals(found)),
        spans=() if found is None else tuple(Span(**one) for one in tables.spans(found)),
        throttling=_throttling(evidence),
        reconciliation=_reconciliation(evidence),
        fingerprints=tuple(
            (name, str(value)) for name, value in evidence.run.get("fingerprints", {}).items()
        ),
        sources=tuple(evidence.run.get("sources", ())),
        versions=tuple(
            (name, str(value)) for name, value in evidence.run.get("versions", {}).items()
        ),
        settings=tuple(_settings(evidence.run.get("settings", {}))),
        troubles=tuple(evidence.troubles),
    )


def _is_warning(one: Cause) -> bool:
    return (
        one.severity == "warning"
        and one.code not in (*_FIRST, *_CUT)
        and not one.code.startswith("flag_")
    )


def _about(evidence: Evidence) -> list[tuple[str, str]]:
    run, summary = evidence.run, evidence.summary
    destination = run.get("destination", {})
    entities = ", ".join(destination.get("legal_entities", ())) or "none named"
    state = "applied" if summary.get("applied") else "planned, not applied"
    finished = next(
        (entry.at for entry in reversed(evidence.entries) if entry.event in ("applied", "planned")),
        None,
    )
    told = [
        ("Run", f"{evidence.folder.run}, {evidence.kind}, {state}"),
        ("Began", run.get("started_at")),
        ("Last step", finished),
        ("From", _source(evidence)),
        (
            "Into",
            (
                f"{destination.get('name', 'unknown')} by {destination.get('load', 'unknown')}, "
                f"legal entities: {entities}"
            ),
        ),
        ("Project", run.get("project") or "none, flags only"),
        ("Retry of", summary.get("retry_of")),
        ("By", " on ".join(str(run[key]) for key in ("user", "host") if run.get(key))),
        ("Last journal line", summary.get("journal")),
    ]
    return [(name, str(text)) for name, text in told if text]


def _source(evidence: Evidence) -> str:
    """Where the run read from: the address, else the folder."""
    paths = [
        str(Path(one["path"]).parent) for one in evidence.run.get("sources", ()) if one.get("path")
    ]
    return str(
        evidence.setting("source.url")
        or (paths[0] if paths else evidence.setting("source.path") or "")
    )


def _reasons(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, rows in sorted(summary.get("reasons", {}).items(), key=lambda one: (-one[1], one[0])):
        decision, _, reason = name.partition("/")
        known = catalogue().get(reason)
        sentence = plain(known.sentence) if known else "Another version of p2c wrote this reason."
        advice = known.advice if known else ""
        found.append(
            {
                "decision": decision,
                "reason": reason,
                "rows": rows,
                "sentence": sentence,
                "advice": advice,
            }
        )
    return found


def _sentence(summary: Mapping[str, Any], verdict: str) -> str:
    """The verdict in one line, as the terminal has it."""
    if not all(
        isinstance(summary.get(name), Mapping) for name in ("counts", "outcomes", "findings")
    ):
        return f"The verdict is {verdict}; summary.json does not say why."
    word, reason = run_text.explain_verdict(summary)
    return f"{word.capitalize()}: {reason}"


def _causes(evidence: Evidence, *, values: bool) -> list[Cause]:
    samples = tables.samples(evidence) if values else {}
    return [
        Cause(
            code=one["code"],
            severity=one["severity"],
            column=" ← ".join(name for name in (one["destination"], one["column"]) if name),
            rows=one["rows"],
            sentence=one["message"] or "",
            advice=one["advice"],
            example=_key(one["example"]),
            retry=f"p2c retry {evidence.folder.run} --code {one['code']}" if _retried(one) else None,
            values=tuple(samples.get((one["code"], one["column"], one["destination"]), ())),
        )
        for one in grouped(evidence) or []
    ]  # fmt: skip


def _key(example: str | None) -> str | None:
    """A contactid that is one; what stands in its place may be anything, a name too."""
    return None if example is None else read_guid(example)


def _retried(one: Mapping[str, Any]) -> bool:
    return one["severity"] in ("error", "hold") and _key(one["example"]) is not None


def _failures(evidence: Evidence, *, is_load: bool, values: bool) -> list[dict[str, Any]]:
    found = []
    for one in tables.failures(evidence, values=values):
        known = catalogue().get(one["code"] or "")
        said = {
            "sentence": known.sentence if known and "{" not in known.sentence else "",
            "advice": known.advice if known else "",
            "retry": f"p2c retry {evidence.folder.run}" if is_load else None,
        }
        found.append({**one, **said})
    return found


def _throttling(evidence: Evidence) -> str:
    told = evidence.summary.get("throttling")
    if isinstance(told, Mapping):
        return ", ".join(
            f"{name.replace('_', ' ')}: {value:,}"
            for name, value in told.items()
            if isinstance(value, int | float)
        )
    events = [entry for entry in evidence.entries if entry.event == "throttled"]
    if events:
        waited = sum(float(entry.payload.get("seconds", 0)) for entry in events)
        return f"SCM asked {len(events):,} times to wait, {waited:,.1f} s in all."
    if evidence.run.get("destination", {}).get("load") == "folder":
        return "Nothing was sent over the network: a load into a folder cannot be throttled."
    return "None was recorded."


def _reconciliation(evidence: Evidence) -> Mapping[str, Any] | None:
    path = evidence.folder.path / "reconciliation.json"
    if not path.is_file():
        return None
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        evidence.note(path, "cut", "reconciliation.json is not valid JSON: it was cut or altered.")
        return None
    return loaded if isinstance(loaded, dict) else None


def _settings(settings: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    found = []
    for name, entry in settings.items():
        value = entry.get("value") if isinstance(entry, dict) else entry
        text = (
            ""
            if value is None
            else value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False)
        )
        origin = str(entry.get("origin", "")) if isinstance(entry, dict) else ""
        found.append((name, text if len(text) <= _LONG else f"{text[:_LONG]}…", origin))
    return found
