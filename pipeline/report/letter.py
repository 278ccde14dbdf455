"""What the page says before anything else: whose run it is, how it ended, and three numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

from pipeline.report.blocks import count_things
from pipeline.report.moments import format_duration, format_moment, parse_moment
from pipeline.run.evidence import Evidence
from pipeline.run.facts import Kind
from pipeline.run.summary import Summary
from pipeline.show.run_text import explain_accepted

_SUBJECTS: Final = {
    Kind.MAIN: "contacts from Sales to Supply Chain Management",
    Kind.RETRY: "contacts tried again, from Sales to Supply Chain Management",
    Kind.BACKFILL: "Contact Number and Is Active Customer in Sales",
    Kind.UNDO: "an earlier run taken back",
}
_LOADS: Final = {
    "packages": "by packages",
    "odata": "by OData",
    "auto": "by packages or OData",
}
_SKIPPED: Final = {
    "no_company": "without a company",
    "company_is_contact": "with a contact as company",
    "filtered_out": "left out by the source filter",
    "not_selected": "not selected",
    "archived": "in long-term retention",
}
_IN_SCM: Final = ("created", "updated", "unchanged")
_DECISIONS: Final = (("customer", "customer"), ("contact", "contact person"))
_BACKFILL: Final = {
    "number": "get a number",
    "activate": "become active",
    "both": "get both",
    "other": "get another flag",
}
_UNDO: Final = {"delete": "deleted", "restore": "restored"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A number that a project lead looks for; ``details`` say what it is made of."""

    tone: Literal["done", "care", "quiet"]
    rows: int
    label: str
    details: tuple[str, ...] = ()


def name_run(evidence: Evidence) -> str:
    """The heading: the project's title, else the organization, and what the run is about."""
    run = evidence.run
    subject = _SUBJECTS[evidence.kind]
    title = run.text("run.title") or run.sales.organization.name
    return f"{title}: {subject}" if title else subject[:1].upper() + subject[1:]


def list_particulars(evidence: Evidence, source: str) -> list[str]:
    """When, how long, from where and into what, in a few words each.

    Args:
        evidence: the run.
        source: where it read from.
    """
    run = evidence.run
    found = [format_moment(run.started_at)] if "started_at" in evidence.run_says else []
    found += _describe_durations(evidence)
    if run.sales.organization.name and run.text("run.title"):
        found.append(run.sales.organization.name)
    if source and not run.is_undo:
        found.append(f"from {_shorten_place(source)}")
    if run.destination.load == "folder":
        found.append("into files")
    elif run.destination.name and not run.fills_sales:
        how = _LOADS.get(run.destination.load, "")
        found.append(f"into {run.destination.name} {how}".rstrip())
    return found


def _shorten_place(source: str) -> str:
    """The host of an address, or the last part of a folder's path; the annex has it whole."""
    return (
        source.split("://")[1].split("/", maxsplit=1)[0]
        if "://" in source
        else PurePath(source).name
    )


def _describe_durations(evidence: Evidence) -> list[str]:
    """How long it took to plan, and to apply at the last start."""
    moments = {
        entry.event: moment
        for entry in evidence.entries
        if (moment := parse_moment(entry.at)) is not None
    }
    began = evidence.run.started_at if "started_at" in evidence.run_says else None
    found = []
    planned, started, applied = (
        moments.get(name) for name in ("planned", "apply_started", "applied")
    )
    if began and planned and planned >= began:
        found.append(f"planned in {format_duration((planned - began).total_seconds())}")
    if started and applied and applied >= started:
        found.append(f"applied in {format_duration((applied - started).total_seconds())}")
    elif not started:
        found.append("not applied yet")
    return found


def make_tiles(evidence: Evidence) -> tuple[Tile, ...]:
    """Where all rows are: done, waiting for a person, left as they are by a rule.

    Empty where the summary lacks the numbers.
    """
    summary = evidence.summary
    if not {"counts", "outcomes"} <= evidence.summary_says or not summary.counts:
        return ()
    match evidence.kind:
        case Kind.MAIN | Kind.RETRY:
            return (_count_loaded(summary), _count_needing(summary), _count_skipped(summary))
        case Kind.BACKFILL:
            return (
                _count_written(summary, _BACKFILL, "changed in Sales", "wait to be changed"),
                _count_needing(summary),
                Tile(tone="quiet", rows=summary.counts.get("none", 0), label="need no change"),
            )
        case Kind.UNDO:
            return (
                _count_written(summary, _UNDO, "taken back", "can be taken back"),
                _count_needing(summary),
                Tile(
                    tone="quiet", rows=summary.counts.get("none", 0), label="nothing to take back"
                ),
            )


def _count_loaded(summary: Summary) -> Tile:
    counts, outcomes = summary.counts, summary.outcomes
    if not summary.applied and not any(outcomes.get(name) for name in (*_IN_SCM, "written")):
        rows = sum(counts.get(decision, 0) for decision, _ in _DECISIONS)
        return Tile(tone="done", rows=rows, label="planned for SCM", details=_list_decided(counts))
    done = {name: outcomes.get(name, 0) for name in (*_IN_SCM, "written")}
    details = [f"{rows:,} {name}" for name, rows in done.items() if rows and name != "written"]
    if outcomes.get("pending"):
        details.append(f"{outcomes['pending']:,} more to load")
    written = done["written"]
    rows = sum(done.values())
    if not written:
        return Tile(tone="done", rows=rows, label="in SCM", details=tuple(details))
    if written == rows:
        return Tile(
            tone="done",
            rows=rows,
            label="in packages to import",
            details=_list_decided(counts),
        )
    details.append(f"{written:,} in packages to import")
    return Tile(tone="done", rows=rows, label="in SCM or in packages", details=tuple(details))


def _list_decided(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(
        count_things(counts[decision], noun)
        for decision, noun in _DECISIONS
        if counts.get(decision)
    )


def _count_needing(summary: Summary) -> Tile:
    counts, outcomes, findings = summary.counts, summary.outcomes, summary.findings
    needing = {
        "held": counts.get("held", 0) - summary.accepted.count("held"),
        "rejected": counts.get("rejected", 0) - summary.accepted.count("rejected"),
        "failed in SCM": outcomes.get("failed", 0),
        "with an unknown outcome": outcomes.get("unknown", 0),
        "to delete by hand": counts.get("by_hand", 0),
        "that nobody can restore": counts.get("lost", 0),
        "with an unknown fate": counts.get("unknown", 0),
        "unreadable": findings.get("row_unreadable", 0),
        "of other tables that may be deleted": findings.get("deletion_unreadable", 0),
        "values that SCM wrote differently": findings.get("changed_by_scm", 0),
    }
    accepted = explain_accepted(summary)
    details = (*(_list_some(needing) or ("nothing",)), *([accepted] if accepted else []))
    return Tile(tone="care", rows=sum(needing.values()), label="needs you", details=details)


def _count_skipped(summary: Summary) -> Tile:
    reasons = {
        _SKIPPED.get(reason, reason.replace("_", " ")): rows
        for name, rows in sorted(summary.reasons.items(), key=lambda one: (-one[1], one[0]))
        for decision, _, reason in [name.partition("/")]
        if decision == "skipped"
    }
    return Tile(
        tone="quiet",
        rows=summary.counts.get("skipped", 0),
        label="skipped by rule",
        details=_list_some(reasons),
    )


def _count_written(summary: Summary, actions: Mapping[str, str], done: str, waiting: str) -> Tile:
    """What a backfill or an undo changed, or is going to change."""
    planned = _list_some({words: summary.counts.get(name, 0) for name, words in actions.items()})
    if not summary.applied:
        rows = sum(summary.counts.get(name, 0) for name in actions)
        return Tile(tone="done", rows=rows, label=waiting, details=planned)
    outcomes = summary.outcomes
    written = outcomes.get("written", 0)
    rows = written + sum(outcomes.get(name, 0) for name in ("created", "updated"))
    label = "in files to import" if written and written == rows else done
    return Tile(tone="done", rows=rows, label=label, details=planned)


def _list_some(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(_pick(counts.items()))


def _pick(pairs: Iterable[tuple[str, int]]) -> Iterable[str]:
    return (f"{rows:,} {words}" for words, rows in pairs if rows)
