"""The proof behind the letter: sections that fold away, in the order in which questions come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.report import proof
from pipeline.report.blocks import (
    Block,
    Cell,
    PageColumn,
    PageSection,
    PageTable,
    Paragraph,
    Part,
    Row,
    count_things,
    make_command,
    make_table,
    say,
)
from pipeline.report.causes import Cause
from pipeline.report.facts import PageFacts
from pipeline.run.summary import Equation, ValueMap

ANCHOR: Final = "code-"
"""Before a code: the name of the place that explains it."""

_FLOW: Final = (
    PageColumn(heading="From"),
    PageColumn(heading="To"),
    PageColumn(heading="Rows", kind="n"),
)
_FINDINGS: Final = "findings.parquet"
_KEYS: Final = 30
_LINE: Final = Part(text="", style="line")


def list_sections(facts: PageFacts) -> list[PageSection]:
    """The annex of a page; sections without content are left out."""
    explained = {one.code for one in facts.causes if one.place in ("first", "fix")}
    found = [
        _show_equations(facts),
        _show_reasons(facts, explained),
        _show_warnings(facts, explained),
        _show_changes(facts),
        _show_maps(facts),
        proof.show_backfill(facts),
        proof.show_batches(facts),
        proof.show_reconciliation(facts),
        proof.show_inputs(facts),
        proof.show_fingerprints(facts),
        proof.show_settings(facts),
        proof.show_particulars(facts),
    ]
    return [one for one in found if one is not None]


def _show_equations(facts: PageFacts) -> PageSection:
    wrong = sum(not one.balanced for one in facts.equations)
    hint = f"{wrong} do not balance" if wrong else "all balance"
    blocks: list[Block] = [_write_equation(one) for one in facts.equations]
    if facts.links:
        table = make_table(
            "The picture as a table",
            (
                PageColumn(heading="From"),
                PageColumn(heading="To"),
                PageColumn(heading="Rows", kind="n"),
            ),
            [(one.source, one.target, one.rows) for one in facts.links],
            "decisions.parquet",
        )
        blocks.append(proof.fold("The picture as a table", table))
    return PageSection(
        anchor="numbers",
        heading="Numbers that must balance",
        hint=hint if facts.equations else "not known",
        blocks=tuple(blocks) or (say("summary.json does not hold the equations."),),
    )


def _write_equation(one: Equation) -> Paragraph:
    sign = "=" if one.left == sum(one.terms.values()) else "≠"
    terms = " + ".join(f"{rows:,} {name}" for name, rows in one.terms.items())
    left = Part(text=f"{one.left:,} {one.equation.split(' = ')[0]}", style="tag")
    return Paragraph(parts=(left, Part(text=f" {sign} {terms}")), style="equation")


def _link_code(code: str, explained: set[str]) -> Part:
    """A code; if another place of the page explains it, a link there."""
    return Part(text=code, style="key", href=f"#{ANCHOR}{code}" if code in explained else "")


def _show_reasons(facts: PageFacts, explained: set[str]) -> PageSection | None:
    if not facts.reasons:
        return None
    rows = [
        Row(
            cells=(
                one["rows"],
                (Part(text=one["decision"], style="tag"),),
                (
                    _link_code(one["reason"], explained),
                    *(() if one["reason"] in explained else (_LINE, Part(text=one["sentence"]))),
                ),
            ),
            anchor="" if one["reason"] in explained else f"{ANCHOR}{one['reason']}",
        )
        for one in facts.reasons
    ]
    columns = (
        PageColumn(heading="Contacts", kind="n"),
        PageColumn(heading="Decision"),
        PageColumn(heading="Reason", kind="says"),
    )
    return PageSection(
        anchor="reasons",
        heading="Every decision and its reason",
        hint=count_things(len(rows), "reason"),
        blocks=(
            PageTable(caption="Contacts by decision and reason", columns=columns, rows=tuple(rows)),
        ),
    )


def _show_warnings(facts: PageFacts, explained: set[str]) -> PageSection | None:
    warnings = [one for one in facts.causes if one.place == "warning"]
    more = [one for one in facts.causes if one.place == "also"]
    if not warnings and not more:
        return None
    blocks: list[Block] = []
    if warnings:
        columns = (
            PageColumn(heading="Rows", kind="n"),
            PageColumn(heading="What was noticed", kind="says"),
            PageColumn(heading="What to do", kind="says"),
        )
        rows = tuple(
            Row(
                cells=(one.rows, _tell_cause(one), one.advice),
                anchor="" if one.code in explained else f"{ANCHOR}{one.code}",
            )
            for one in warnings
        )
        blocks.append(
            PageTable(
                caption="Warnings, most rows first", columns=columns, rows=rows, source=_FINDINGS
            )
        )
    if more:
        known = explained | {one.code for one in warnings}
        blocks += [
            say("Contacts that another problem already stopped have these problems, too."),
            make_table(
                "Further problems, most rows first",
                (PageColumn(heading="Rows", kind="n"), PageColumn(heading="Problem", kind="says")),
                [(one.rows, _tell_more(one, known)) for one in more],
                _FINDINGS,
            ),
        ]
    hint = ", ".join(
        [
            *([count_things(len(warnings), "warning")] if warnings else []),
            *([f"{len(more):,} of contacts that are stopped anyway"] if more else []),
        ]
    )
    return PageSection(anchor="warnings", heading="Warnings", hint=hint, blocks=tuple(blocks))


def _tell_cause(one: Cause) -> Cell:
    parts = [Part(text=one.sentence), _LINE, Part(text=one.code, style="key")]
    if one.columns:
        parts.append(Part(text=f": {_join_columns(one)}"))
    if one.rows and one.examples:
        parts += [_LINE, Part(text="For example ")]
        parts += [Part(text=each.contact, style="key", href=each.href) for each in one.examples]
    if one.values:
        parts += [_LINE, Part(text=" · ".join(one.values))]
    return tuple(parts)


def _tell_more(one: Cause, explained: set[str]) -> Cell:
    code = _link_code(one.code, explained)
    columns = Part(text=f": {_join_columns(one)}" if one.columns else "")
    values = (_LINE, Part(text=" · ".join(one.values))) if one.values else ()
    if code.href:
        return (code, columns, *values)
    return (Part(text=one.sentence), _LINE, code, columns, *values)


def _join_columns(one: Cause) -> str:
    if len(one.columns) == 1:
        return one.columns[0][0]
    return ", ".join(f"{name} {rows:,}" for name, rows in one.columns)


def _show_changes(facts: PageFacts) -> PageSection | None:
    if not facts.changes:
        return None
    fields = [
        (f"{task.task}.{one.column}", one.rows, one.cleared, ", ".join(one.examples))
        for _, task in facts.changes
        for one in task.fields
    ]
    columns = (
        PageColumn(heading="Task and column", kind="key"),
        PageColumn(heading="Rows", kind="n"),
        PageColumn(heading="Cleared", kind="n"),
        PageColumn(heading="For example", kind="key"),
    )
    blocks: list[Block] = [say(sentence) for sentence, _ in facts.changes]
    blocks.append(make_table("Columns that updates change", columns, fields, "changes.parquet"))
    if facts.changed_values:
        blocks.append(_show_changed_values(facts))
    else:
        explain = make_command(f"p2c explain CONTACT --run {facts.run}")
        blocks.append(say("changes.parquet has every value, before and after. ", explain, "."))
    rows = sum(task.changed for _, task in facts.changes)
    return PageSection(
        anchor="changes",
        heading="What updates change",
        hint=f"{count_things(len(fields), 'column')} in {count_things(rows, 'row')}",
        blocks=tuple(blocks),
    )


def _show_changed_values(facts: PageFacts) -> PageTable:
    columns = (
        PageColumn(heading="Key", kind="key"),
        PageColumn(heading="Column", kind="key"),
        PageColumn(heading="Before", kind="says"),
        PageColumn(heading="After", kind="says"),
    )
    rows = [
        (
            one["destination_key"],
            f"{one['task']}.{one['column']}",
            one["old"] or "blank",
            one["new"] or "blank",
        )
        for one in facts.changed_values
    ]
    return make_table("The first values that updates change", columns, rows, "changes.parquet")


def _show_maps(facts: PageFacts) -> PageSection | None:
    if not facts.value_maps:
        return None
    columns = (
        PageColumn(heading="Task and column ← source", kind="key"),
        PageColumn(heading="Keys used"),
        PageColumn(heading="Keys never used"),
        PageColumn(heading="Source values without a map", kind="says"),
    )
    rows = [
        (
            f"{one.task}.{one.destination}" + (f" ← {one.source}" if one.source else ""),
            _count_keys(one),
            _list_unused(one),
            _list_unmapped(one, values=facts.with_values),
        )
        for one in facts.value_maps
    ]
    unmapped = sum(one.unmapped_values for one in facts.value_maps)
    blocks: list[Block] = [make_table("Lists and how they were used", columns, rows)]
    if unmapped and not facts.with_values:
        blocks.append(
            say("The values themselves: ", make_command(f"p2c report {facts.run} --with-values"))
        )
    return PageSection(
        anchor="maps",
        heading="Value maps",
        hint=f"{count_things(unmapped, 'value')} without a map" if unmapped else "nothing missing",
        blocks=tuple(blocks),
    )


def _count_keys(one: ValueMap) -> str:
    if not one.keys:
        return "a list of p2c"
    return f"{len(one.keys) - len(one.never_used):,} of {len(one.keys):,}"


def _list_unused(one: ValueMap) -> str:
    names = ", ".join(name or "blank" for name in one.never_used[:_KEYS])
    more = len(one.never_used) - _KEYS
    return f"{names} and {more:,} more" if more > 0 else names or "none"


def _list_unmapped(one: ValueMap, *, values: bool) -> str:
    if not one.unmapped_values:
        return "none"
    if values and one.unmapped:
        return _join_counts(dict(list(one.unmapped.items())[:_KEYS]))
    text = count_things(one.unmapped_values, "value")
    if not one.unmapped:
        return text
    least = " or more" if len(one.unmapped) < one.unmapped_values else ""
    return f"{text} in {count_things(sum(one.unmapped.values()), 'row')}{least}"


def _join_counts(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{value}: {rows:,}" for value, rows in counts.items())
