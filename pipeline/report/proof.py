"""The annex about the run itself: what it wrote, what it read, and what decided its output."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from pipeline.report import throughput
from pipeline.report.blocks import (
    Block,
    Cell,
    Fold,
    PageColumn,
    PageSection,
    PageTable,
    Part,
    Picture,
    count_things,
    make_command,
    make_table,
    say,
)
from pipeline.report.facts import PageFacts
from pipeline.report.moments import format_duration, format_moment, format_size
from pipeline.report.tables import Batch, BatchTotal
from pipeline.run.facts import DeltaRead

_LINE = Part(text="", style="line")


def fold(heading: str, table: PageTable) -> Fold:
    """A table that is not printed."""
    return Fold(heading=heading, table=table)


def show_backfill(facts: PageFacts) -> PageSection | None:
    """Contacts by what a backfill does with them."""
    if not facts.backfill:
        return None
    columns = (
        PageColumn(heading="Action"),
        PageColumn(heading="Outcome"),
        PageColumn(heading="Contacts", kind="n"),
        PageColumn(heading="Ranks"),
        PageColumn(heading="Company flags changed", kind="n"),
        PageColumn(heading="Quotes", kind="n"),
        PageColumn(heading="Orders", kind="n"),
        PageColumn(heading="Invoices", kind="n"),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in facts.backfill:
        first, last = one["first_rank"], one["last_rank"]
        ranks = "" if first is None else f"{first:,} to {last:,}"
        names = ("company_flags", "quotes", "orders", "invoices")
        counts = [_as_number(one[name]) for name in names]
        outcome = str(one["outcome"] or "not applied")
        rows.append((str(one["action"]), outcome, _as_number(one["rows"]), ranks, *counts))
    return PageSection(
        anchor="backfill",
        heading="Backfill",
        hint="by action and outcome",
        blocks=(
            say("Quotes, orders and invoices are the evidence for Is Active Customer."),
            make_table("Contacts by action and outcome", columns, rows, "backfill.parquet"),
        ),
    )


def _as_number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def show_batches(facts: PageFacts) -> PageSection | None:
    """What was sent, or written into packages, and how fast it went over the network."""
    if not facts.batches:
        return None
    blocks: list[Block] = []
    found = throughput.bin_spans(facts.spans)
    if found is not None and throughput.is_worth_drawing(found, len(facts.spans)):
        drawing = throughput.draw_throughput(found, title="Rows per second over time")
        blocks.append(Picture(drawing=drawing, text=throughput.describe_throughput(found)))
    if not any(one["finished_at"] for one in facts.batches):
        blocks.append(say("No batch has finished yet."))
    blocks += [
        say(facts.throttling),
        _total_batches(facts.batch_totals, timed=bool(facts.spans)),
        _list_batches(facts.batches),
    ]
    return PageSection(
        anchor="batches",
        heading="Batches",
        hint=f"{count_things(len(facts.batches), 'batch').replace('batchs', 'batches')}",
        blocks=tuple(blocks),
    )


def _total_batches(totals: Iterable[BatchTotal], *, timed: bool) -> PageTable:
    columns = (
        PageColumn(heading="Task"),
        PageColumn(heading="Legal entity"),
        PageColumn(heading="Batches", kind="n"),
        PageColumn(heading="Rows", kind="n"),
        PageColumn(heading="Size", kind="n"),
        PageColumn(heading="Created", kind="n"),
        PageColumn(heading="Updated", kind="n"),
        PageColumn(heading="Failed", kind="n"),
        *((PageColumn(heading="Rows/s", kind="n"),) if timed else ()),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            one["task"],
            one["legal_entity"],
            one["batches"],
            one["rows"],
            format_size(one["bytes"]),
            one["created"],
            one["updated"],
            one["failed"],
            *((one["rate"],) if timed else ()),
        )
        for one in totals
    ]
    return make_table("By task and legal entity", columns, rows, "batches.parquet")


def _list_batches(batches: Iterable[Batch]) -> PageTable:
    columns = (
        PageColumn(heading="Batch"),
        PageColumn(heading="Rows", kind="n"),
        PageColumn(heading="Status"),
        PageColumn(heading="Finished"),
        PageColumn(heading="File, definition group, execution", kind="key"),
    )
    rows = [
        (
            f"{one['task']} {one['legal_entity']} {one['batch']}",
            one["rows"],
            one["status"],
            _tell_time(one),
            _join_lines(one["file"], one["definition_group"], one["execution_id"]),
        )
        for one in batches
    ]
    return make_table("Every batch", columns, rows, "batches.parquet")


def _join_lines(*texts: str | None) -> Cell:
    parts: list[Part] = []
    for text in texts:
        if text:
            parts += [*([_LINE] if parts else []), Part(text=text)]
    return tuple(parts)


def _tell_time(one: Batch) -> str:
    """When a batch was finished, and how long it took where both ends are known."""
    ended, began = one["finished_at"], one["sent_at"]
    if ended is None:
        return ""
    seconds = 0.0 if began is None else (ended - began).total_seconds()
    took = f", after {format_duration(seconds)}" if seconds >= 1 else ""
    return f"{format_moment(ended)}{took}"


def show_reconciliation(facts: PageFacts) -> PageSection | None:
    """What reading SCM again showed."""
    if not facts.reconciliation:
        return None
    differences = _list_objects(facts.reconciliation.get("differences"))
    blocks: list[Block] = [say(_as_text(facts.reconciliation.get("sentence")))]
    if differences:
        columns = (
            PageColumn(heading="Task"),
            PageColumn(heading="Difference"),
            PageColumn(heading="Column", kind="key"),
            PageColumn(heading="Rows", kind="n"),
            PageColumn(heading="For example", kind="key"),
        )
        names = ("task", "difference", "column")
        rows: list[tuple[Cell, ...]] = [
            (
                *(_as_text(one.get(name)) for name in names),
                _as_number(one.get("rows")),
                _as_text(one.get("example")),
            )
            for one in differences
        ]
        blocks.append(
            make_table("Rows compared with what SCM has", columns, rows, "reconciliation.json")
        )
    return PageSection(
        anchor="reconciliation",
        heading="Reconciliation with SCM",
        hint="differences were found" if differences else "as planned",
        blocks=tuple(blocks),
    )


def _list_objects(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _as_text(value: JsonValue) -> str:
    return "" if value is None else str(value)


def show_inputs(facts: PageFacts) -> PageSection:
    """The files or tables that were read, with their hashes."""
    columns = (
        PageColumn(heading="Table"),
        PageColumn(heading="Rows", kind="n"),
        PageColumn(heading="Size", kind="n"),
        PageColumn(heading="File and SHA-256", kind="key"),
    )
    rows = [
        (one.table, one.rows, format_size(one.bytes), _join_lines(one.file, one.sha256))
        for one in facts.sources
    ]
    blocks: list[Block] = [
        say("run.json does not list them.")
        if not rows
        else make_table("What the run read", columns, rows, "run.json")
    ]
    if facts.delta:
        blocks.append(_list_delta(facts.delta))
    total = sum(one.rows for one in facts.sources)
    return PageSection(
        anchor="inputs",
        heading="What the run read",
        hint=f"{count_things(len(rows), 'file')}, {count_things(total, 'row')}",
        blocks=tuple(blocks),
    )


def _list_delta(tables: Iterable[DeltaRead]) -> PageTable:
    columns = (
        PageColumn(heading="Table"),
        PageColumn(heading="Version", kind="n"),
        PageColumn(heading="Written"),
    )
    rows = [(one.table, one.version, _tell_moment(one.committed_at)) for one in tables]
    return make_table("Delta tables, and the versions that were read", columns, rows, "run.json")


def _tell_moment(moment: datetime | None) -> str:
    return format_moment(moment) if moment else "not known"


def show_fingerprints(facts: PageFacts) -> PageSection:
    """What decided the output, and how to check that nothing was altered."""
    columns = (PageColumn(heading="What"), PageColumn(heading="SHA-256", kind="key"))
    versions = ", ".join(f"{name} {value}" for name, value in facts.versions)
    return PageSection(
        anchor="proof",
        heading="Proof",
        hint="fingerprints and versions",
        blocks=(
            say(
                make_command(f"p2c verify {facts.run}"),
                " checks the journal's chain, the hash of every file and the equations.",
            ),
            make_table("What decided the output", columns, facts.fingerprints, "run.json"),
            say(f"Versions: {versions}." if versions else "run.json names no versions."),
        ),
    )


def show_settings(facts: PageFacts) -> PageSection:
    """Settings that somebody chose; those that nobody did are folded away."""
    columns = (
        PageColumn(heading="Setting", kind="key"),
        PageColumn(heading="Value", kind="key"),
        PageColumn(heading="From", kind="key"),
    )
    chosen = [one for one in facts.settings if one[2] != "default"]
    others = [one for one in facts.settings if one[2] == "default"]
    blocks: list[Block] = []
    if chosen:
        blocks.append(make_table("Settings of this project", columns, chosen, "run.json"))
    if others:
        heading = f"{count_things(len(others), 'setting')} at the default"
        table = make_table(heading, columns[:2], [one[:2] for one in others], "run.json")
        blocks.append(fold(heading, table))
    return PageSection(
        anchor="settings",
        heading="Settings",
        hint=f"{len(chosen):,} set, {len(others):,} at the default",
        blocks=tuple(blocks),
    )


def show_particulars(facts: PageFacts) -> PageSection:
    """Whose run it is, where, and the end of its journal."""
    columns = (PageColumn(heading="What"), PageColumn(heading="Value", kind="key"))
    return PageSection(
        anchor="about",
        heading="About this run",
        hint=facts.run,
        blocks=(make_table("About this run", columns, facts.about, "run.json"),),
    )
