"""What the terminal says about a run: a page that can be read at three in the morning.

Verdict first, then what to look at, the equations with their numbers, where contacts go, findings
with what to do, and what comes next. A pure function of facts; the only values that it shows are
those that a closed list lacks.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from pipeline.errors import count_of
from pipeline.run.facts import Kind
from pipeline.run.findings import read_count
from pipeline.run.summary import (
    CountedFinding,
    Equation,
    Forecast,
    NamedValues,
    SincePrevious,
    Summary,
    TaskChanges,
    ValueMap,
)
from pipeline.show.named import explain_repair, list_values, merge_columns
from schemas.codes import TOP, Code, Severity, load_codes
from schemas.run import OUTCOME_NAMES

Columns = Mapping[str, Sequence[tuple[str, int]]]
"""Code → columns and how many findings each has, most first."""

Refused = Sequence[tuple[str, str, str, int]]
"""Outcome, code, task and rows of what was not accepted, most rows first."""

_SHOWN: Final = 8
_INDENT: Final = 21
_HARD: Final = "\u00a0"
"""A space where lines do not break."""
_LONGEST: Final = 40
_TAKEN_BACK: Final = {"updated": "taken back", "created": "put back"}
"""Outcomes of an undo in its own words."""
_LONG: Final = 10
"""Minutes from which on their tenths do not count."""


def render_run(
    facts: Summary,
    folder: Path,
    columns: Columns,
    width: int,
    refused: Refused = (),
    *,
    values: bool = False,
) -> str:
    """A run as text.

    Args:
        facts: ``summary.json``.
        folder: the run's folder.
        columns: where the findings of each code are.
        width: of a line, in characters; text that is not wrapped (tables, names) may be longer.
        refused: why rows failed, or why nobody knows what became of them.
        values: show values of contacts that a closed list does not know, not only their number.
    """
    blocks = (
        [
            render_verdict(facts),
            f"Run {facts.run}, {'applied' if facts.applied else 'planned'}, in {folder}",
        ],
        list(facts.systems),
        _render_accepted(facts, width),
        _head_block(
            f"Since the last run{f', {facts.since.run}' if facts.since.run else ''}",
            render_since(facts.since),
        ),
        _head_block("Not accepted", _render_refused(refused, facts, folder, width)),
        _head_block("Look first", _render_findings(facts, columns, width, top=True)),
        [
            line
            for one in facts.equations
            for line in _render_equation(_name_for_undo(one, facts.kind), width)
        ],
        _head_block("Where contacts go", _render_reasons(facts, width)),
        _head_block("What is planned", _render_planned(facts, width)),
        _head_block("What updates change", _render_updates(facts, width)),
        _head_block(
            "Findings, most urgent first", _render_findings(facts, columns, width, top=False)
        ),
        _head_block("Closed lists", _render_coverage(facts, width, values=values)),
        _render_ending(facts, folder, width),
    )
    return "\n\n".join("\n".join(block) for block in blocks if block)


def plain_sentence(sentence: str) -> str:
    """A sentence of the catalogue, its blanks filled with general words or an ellipsis."""
    sentence = re.sub(r"(^|\. )\{detail\} ", r"\1Some ", sentence)
    for blank, word in (
        ("of the type {limit}", "of its type"),
        ("none of: {limit}", "none of those that SCM knows"),
        ("{limit} characters", "its length"),
        (": {detail}", ""),
        ("{detail}.", "…"),
        ("{detail}", "…"),
        ("{column}", "a column"),
        ("{limit}", "its limit"),
    ):
        sentence = sentence.replace(blank, word)
    return sentence[:1].upper() + sentence[1:]


def fit_terminal(value: str) -> str:
    """A value from a source, fit for a terminal: control characters by number, long ones cut."""
    safe = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in value)
    return safe if len(safe) <= _LONGEST else f"{safe[: _LONGEST - 1]}…"


def _head_block(heading: str, lines: Iterable[str]) -> list[str]:
    held = list(lines)
    return [heading, *held] if held else []


def _wrap(text: str, width: int, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=space,
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrap_names(
    head: str, names: Sequence[str], width: int, indent: int | None = None
) -> list[str]:
    """Names behind ``head``, never broken inside.

    Further lines begin at ``indent``, or below the first name if it is null.
    """
    lines = textwrap.wrap(
        ", ".join(name.replace(" ", _HARD) for name in names),
        max(width, len(head) + 10),
        initial_indent=head,
        subsequent_indent=" " * (len(head) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return [line.replace(_HARD, " ").rstrip() for line in lines] or [head.rstrip()]


def _wrap_terms(head: str, terms: Sequence[str], width: int) -> list[str]:
    """The terms of a sum behind ``head``; a line that goes on ends before a plus."""
    text = " + ".join(one.replace(" ", _HARD) for one in terms).replace("+ ", f"+{_HARD}")
    lines = textwrap.wrap(
        text,
        max(width, len(head) + 10),
        initial_indent=head,
        subsequent_indent=" " * (len(head) - 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_HARD, " ") for line in lines]


def render_verdict(facts: Summary) -> str:
    """The verdict of ``summary.json`` in one line; its first word says how bad it is."""
    word, reason = explain_verdict(facts)
    return f"{word.upper()}: {reason}"


def explain_verdict(facts: Summary) -> tuple[str, str]:
    """The verdict in lower case, and the reason for it as a sentence."""
    match facts.verdict:
        case "clean" if facts.kind is Kind.UNDO:
            done = "was" if facts.applied else "can be"
            return "clean", f"everything {done} taken back."
        case "clean":
            return "clean", _explain_clean(facts)
        case "attention":
            return "attention", _explain_attention(facts)
        case "stopped":
            return "stopped", "not everything was done; run the same command again to continue."
        case _:
            sentence = (
                "an equation does not balance. Stop here, and keep the run folder for whoever "
                "investigates."
            )
            return "broken", sentence


def explain_accepted(facts: Summary) -> str:
    """How many contacts are accepted and until when; blank without any."""
    accepted = facts.accepted
    if not accepted.contacts:
        return ""
    later = "" if accepted.until == accepted.until_last else f" (some until {accepted.until_last})"
    return f"{accepted.contacts:,} accepted until {accepted.until}{later}"


def _explain_clean(facts: Summary) -> str:
    """Nothing needs a person; but what is only planned waits."""
    waiting = 0 if facts.applied else facts.outcomes.get("pending", 0)
    if waiting and facts.kind is Kind.BACKFILL:
        contacts = "contact waits" if waiting == 1 else "contacts wait"
        return f"nothing needs a person; {waiting:,} {contacts} to be changed in Sales."
    rest = ""
    if waiting:
        rest = f"; {waiting:,} {'row waits' if waiting == 1 else 'rows wait'} to be loaded"
    accepted = explain_accepted(facts)
    if accepted:
        return (
            f"{accepted}; every other contact is where it belongs, and nothing needs a person"
            f"{rest}."
        )
    return f"every contact is where it belongs, and nothing needs a person{rest}."


def _explain_attention(facts: Summary) -> str:
    """What waits for a person, as a sentence."""
    if "no_contacts" in facts.findings:
        return "the source has no contacts."
    if "nothing_selected" in facts.findings:
        return "no contact was selected; all were skipped."
    counts = _count_for_people(facts)
    listed = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    accepted = explain_accepted(facts)
    between = f"{accepted}; " if accepted else ""
    return f"{listed or 'the findings'} need a person; {between}all others are where they belong."


def _count_for_people(facts: Summary) -> dict[str, int]:
    """What waits for a person, and how much of it."""
    counts, outcomes, findings = facts.counts, facts.outcomes, facts.findings
    return {
        "to delete by hand": counts.get("by_hand", 0),
        "that nobody can restore": counts.get("lost", 0),
        "with unknown fate": counts.get("unknown", 0),
        "held": counts.get("held", 0) - facts.accepted.count("held"),
        "rejected": counts.get("rejected", 0) - facts.accepted.count("rejected"),
        "failed in SCM": outcomes.get("failed", 0),
        "with unknown outcome": outcomes.get("unknown", 0),
        "unreadable": findings.get("row_unreadable", 0),
        "of other tables that may be deleted": findings.get("deletion_unreadable", 0),
        "asked for and not in the source": findings.get("only_not_found", 0),
        "batches that SCM counts differently": findings.get("counts_disagree", 0),
        "values that SCM wrote differently": findings.get("changed_by_scm", 0),
    }


def _name_for_undo(one: Equation, kind: Kind) -> Equation:
    """The equation of an undo in its own words: what SCM no longer has was not updated."""
    if kind is not Kind.UNDO:
        return one
    terms = {_TAKEN_BACK.get(name, name): count for name, count in one.terms.items()}
    return one.replace(terms=terms)


def _render_accepted(facts: Summary, width: int) -> list[str]:
    """Which contacts are accepted, and what is wrong with the list of them."""
    accepted = facts.accepted
    listed = [f"{rows:,} {name}" for name, rows in accepted.reasons.items()]
    noun = "contact: " if accepted.contacts == 1 else "contacts:"
    head = f"{accepted.contacts:>11,} {noun} "
    lines = _wrap_names(head, listed, width) if listed else []
    lines += [line for note in accepted.notes for line in _wrap(note, width, _INDENT - 8)]
    return _head_block("Accepted", lines)


def render_since(since: SincePrevious) -> Iterator[str]:
    """Who is held or rejected since the last run, and who no longer; nothing before the first."""
    if since.note:
        yield since.note
    elif since.run and not since.changes:
        yield f"{0:>11,} newly held or rejected, and 0 no longer"
    for one in since.changes:
        word = "newly" if one.change == "new" else "no longer"
        example = f", for example {one.contact}" if one.contact else ""
        yield f"{one.contacts:>11,} {word} {one.reason}{example}"


def _render_equation(one: Equation, width: int) -> list[str]:
    """The numbers of an equation. If it has many terms, those that are 0 are left out."""
    few = len(one.terms) <= 5  # noqa: PLR2004
    terms = [f"{count:,} {name}" for name, count in one.terms.items() if count or few]
    name = one.equation.partition(" = ")[0]
    sign = "=" if one.balanced else "≠"
    head = f"{one.left:>11,} {name:<8} {sign} "
    return _wrap_terms(head, terms or ["0"], width)


def _render_reasons(facts: Summary, width: int) -> Iterator[str]:
    for decision, count in facts.counts.items():
        own = [
            (name.partition("/")[2], rows)
            for name, rows in facts.reasons.items()
            if name.startswith(f"{decision}/")
        ]
        listed = [
            f"{rows:,} {name}" for name, rows in sorted(own, key=lambda one: (-one[1], one[0]))
        ]
        yield from _wrap_names(f"{count:>11,} {decision:<8}   ", listed, width)


def _render_planned(facts: Summary, width: int) -> Iterator[str]:
    for task, actions in groupby(facts.actions, key=lambda one: one.task):
        rows = list(actions)
        listed = [f"{one.legal_entity} {one.rows:,} {one.action}" for one in rows]
        yield from _wrap_names(
            f"{sum(one.rows for one in rows):>11,} {task}: ", listed, width, indent=_INDENT
        )


def _render_updates(facts: Summary, width: int) -> Iterator[str]:
    """Updates by task and field, with keys as examples; no values."""
    for task in facts.changes:
        yield from _wrap(explain_changes(task), width, _INDENT - 8)
        for one in task.fields[:_SHOWN]:
            cleared = f", {one.cleared:,} of them cleared" if one.cleared else ""
            head = f"{one.rows:>11,} {one.column}{cleared}, for example "
            yield from _wrap_names(head, one.examples, width, indent=_INDENT)
        if len(task.fields) > _SHOWN:
            yield f"{'':>11} and {count_of(len(task.fields) - _SHOWN, 'more column')}"


def explain_changes(task: TaskChanges) -> str:
    """How many updates change anything, compared with what, in one sentence."""
    other = "what SCM has" if task.against == "scm" else "what p2c sent last"
    unknown = task.updates - task.compared
    rest = (
        f"; of {count_of(unknown, 'more update')} the values before are not known"
        if unknown
        else ""
    )
    return (
        f"{task.task}: {task.changed:,} of {task.compared:,} updates change something, compared "
        f"with {other}{rest}."
    )


def _render_findings(facts: Summary, columns: Columns, width: int, *, top: bool) -> Iterator[str]:
    found = [
        (load_codes()[name], count)
        for name, count in facts.findings.items()
        if (name in TOP) is top
    ]
    for code, count in sorted(found, key=lambda one: (one[0].urgency, -one[1], one[0].rank)):
        numbered = [one for one in facts.counted if one.code == code.code]
        if numbered:
            yield from _render_run_finding(code, numbered, width)
        else:
            yield from _render_row_finding(code, count, columns.get(code.code, ()), width)
            yield from _render_named(
                merge_columns(one for one in facts.named if one.code == code.code), width
            )


def _render_row_finding(
    code: Code, count: int, where: Sequence[tuple[str, int]], width: int
) -> Iterator[str]:
    """A finding of rows: how many, in which columns, and what to do."""
    is_whole = code.code in TOP and all(rows == 1 for _, rows in where)
    names = [name if is_whole else f"{name} {rows:,}" for name, rows in where[:_SHOWN]]
    more = [f"and {len(where) - _SHOWN} more"] if len(where) > _SHOWN else []
    head = f"{count:>11,} {code.severity or Severity.ALSO:<8} {code.code}"
    yield from _wrap_names(f"{head}: ", [*names, *more], width, indent=_INDENT) if names else [head]
    text = code.advice if code.decision else f"{plain_sentence(code.sentence)} {code.advice}"
    yield from _wrap(text, width, _INDENT)


def _render_named(named: Sequence[NamedValues], width: int) -> Iterator[str]:
    """The values that findings are about; the column is named where there are several."""
    for one in named:
        values = list_values(one)
        if values:
            column = one.destination or one.column
            head = f"{'':>{_INDENT}}{column}: " if len(named) > 1 else " " * _INDENT
            yield from _wrap_names(head, values, width, indent=_INDENT)
            yield from _wrap(explain_repair(one), width, _INDENT)


def _render_refused(refused: Refused, facts: Summary, folder: Path, width: int) -> Iterator[str]:
    """The first causes why rows were not accepted, and where the others are."""
    for outcome, name, task, rows in refused[:_SHOWN]:
        yield f"{rows:>11,} {outcome:<8} {name}: {task}"
        code = load_codes().get(name)
        if code is not None:
            yield from _wrap(f"{plain_sentence(code.sentence)} {code.advice}", width, _INDENT)
    if refused:
        more = len(refused) - _SHOWN
        head = f"{count_of(more, 'more cause')}, and each row" if more > 0 else "Each row"
        yield f"{'':>{_INDENT}}{head}: p2c findings {facts.run}{_name_runs_flag(folder)}"


def _render_run_finding(
    code: Code, numbered: Iterable[CountedFinding], width: int
) -> Iterator[str]:
    """A finding of the run as a whole: its number stands in its sentence, equal ones in one."""
    said: dict[str, list[int]] = {}
    for one in numbered:
        sentence = code.message(detail=one.detail, column=one.column)
        said.setdefault(sentence, []).append(max(one.rows, read_count(one.detail)))
    for sentence, counts in list(said.items())[:_SHOWN]:
        times = f" ({len(counts):,} times)" if len(counts) > 1 else ""
        yield f"{sum(counts):>11,} {code.severity:<8} {code.code}{times}"
        yield from _wrap(f"{sentence} {code.advice}", width, _INDENT)
    more = sum(len(counts) for counts in list(said.values())[_SHOWN:])
    if more:
        yield f"{'':>{_INDENT}}and {more:,} more like it; findings.parquet has them all"


def _render_coverage(facts: Summary, width: int, *, values: bool) -> Iterator[str]:
    for one in facts.value_maps:
        if one.unmapped_values:
            yield from _render_unmapped(one, width, values=values)
        if one.never_used:
            keys = [fit_terminal(key) or '""' for key in one.never_used]
            yield from _render_list(
                f"{one.task}.{one.destination} never used", keys[:_SHOWN], len(keys), width
            )


def _render_unmapped(one: ValueMap, width: int, *, values: bool) -> list[str]:
    """The values that a closed list does not know: their number, or the most frequent ones."""
    head = f"{one.task}.{one.destination} does not know"
    if values and one.unmapped:
        names = [
            f"{fit_terminal(value)} ({count:,})"
            for value, count in list(one.unmapped.items())[:_SHOWN]
        ]
        return _render_list(head, names, one.unmapped_values, width)
    noun = "value" if one.unmapped_values == 1 else "values"
    rows = sum(one.unmapped.values())
    least = "at least " if len(one.unmapped) < one.unmapped_values else ""
    counted = f" in {least}{rows:,} {'row' if rows == 1 else 'rows'}" if rows else ""
    return _wrap_names(
        f"    {head}: ", [f"{one.unmapped_values:,} {noun}{counted}"], width, indent=8
    )


def _render_list(head: str, names: Sequence[str], total: int, width: int) -> list[str]:
    more = [f"and {total - len(names):,} more"] if total > len(names) else []
    return _wrap_names(f"    {head}: ", [*names, *more], width, indent=8)


def _render_ending(facts: Summary, folder: Path, width: int) -> list[str]:
    if facts.applied:
        undoes = facts.kind is Kind.UNDO
        listed = [
            f"{facts.outcomes[name]:,} {_TAKEN_BACK.get(name, name) if undoes else name}"
            for name in OUTCOME_NAMES
            if facts.outcomes.get(name)
        ]
        lines = _wrap_names("Outcomes  ", listed or ["there was nothing to send"], width)
        return [*lines, *_render_why(facts, folder), *_render_import(facts, folder)]
    return [
        *_render_forecast(facts.forecast, width),
        *_render_why(facts, folder),
        f"Next      p2c apply {facts.run}{_name_runs_flag(folder)}",
    ]


def _say_minutes(minutes: float) -> str:
    return f"{minutes:,.0f} minutes" if minutes >= _LONG else f"{minutes:,} minutes"


def _render_forecast(forecast: Forecast, width: int) -> list[str]:
    if not (forecast.bytes or forecast.requests):
        return ["Forecast  nothing to send"]
    cost = [count_of(forecast.bytes, "byte") + " to send"]
    cost += [count_of(forecast.requests, "request")] if forecast.requests else []
    timed = (
        [f"about {_say_minutes(forecast.minutes)} at {forecast.rate:,} rows/s"]
        if forecast.rate
        else []
    )
    return [
        *_wrap_names("Forecast  ", [*cost, *timed], width),
        *(_wrap(f"rate {forecast.rate_from}", width, 10) if timed else []),
    ]


def _render_why(facts: Summary, folder: Path) -> list[str]:
    if not facts.findings:
        return []
    return [
        f"Why       p2c explain CONTACT --run {facts.run}{_name_runs_flag(folder)}",
        "          findings.parquet has them all",
    ]


def _name_runs_flag(folder: Path) -> str:
    return "" if folder.parent == Path("runs") else f" --runs {folder.parent}"


def _render_import(facts: Summary, folder: Path) -> list[str]:
    if not facts.outcomes.get("written"):
        return []
    if facts.kind is Kind.BACKFILL:
        return [
            f"Next      import {folder / 'import'}",
            "          in Sales, in the order of the names, then export contacts again",
        ]
    return [
        f"Next      import {folder / 'packages'}",
        "          in SCM (Data management, Import), each in its legal entity",
    ]
