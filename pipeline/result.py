"""What a command answers: one object with always the same keys, as JSON or as lines for people."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.codes import catalogue
from schemas.run import OUTCOME_NAMES


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A command's answer and exit code. ``lines`` are for people only; ``items`` is what the command lists."""

    command: str
    exit_code: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    folder: str | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""


def as_json(result: Result) -> str:
    """The answer as one JSON object."""
    facts = result.facts
    verdict = facts.get("verdict", "clean" if result.exit_code == 0 else "attention")
    return json.dumps(
        {
            "command": result.command,
            "run": facts.get("run"),
            "folder": result.folder,
            "verdict": verdict,
            "balanced": facts.get("balanced", True),
            "counts": facts.get("counts", {}),
            "reasons": facts.get("reasons", {}),
            "findings": facts.get("findings", {}),
            "outcomes": facts.get("outcomes", {}),
            "forecast": facts.get("forecast", {}),
            "items": result.items,
        },
        ensure_ascii=False,
        default=str,
    )


def show(result: Result, console: Console) -> None:
    """The answer for people."""
    if result.text:
        console.print(result.text, markup=False, highlight=False, soft_wrap=True)
    if result.facts:
        _run(result, console)


def _run(result: Result, console: Console) -> None:
    facts = result.facts
    console.print(f"Run {facts['run']} in {result.folder}", highlight=False, soft_wrap=True)
    for equation in facts["equations"]:
        terms = " + ".join(f"{count:,} {name}" for name, count in equation["terms"].items() if count or name in facts["counts"])
        sign = "=" if equation["balanced"] else "≠"
        name = equation["equation"].split(" = ")[0]
        console.print(f"  {equation['left']:,} {name} {sign} {terms or 0}", highlight=False, soft_wrap=True)
    _table(
        console,
        "decision / reason",
        "contacts",
        facts["reasons"],
        lambda name: catalogue()[name.split("/")[1]].sentence,
    )
    _table(console, "finding", "rows", facts["findings"], lambda name: catalogue()[name].advice)
    _coverage(facts, console)
    _ending(result, console)


def _table(console: Console, left: str, right: str, counts: dict[str, int], text: Any) -> None:
    if not counts:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column(right, justify="right")
    table.add_column(left, no_wrap=True)
    table.add_column("")
    for name, count in counts.items():
        table.add_row(f"{count:,}", name, _plain(text(name)))
    console.print(table)


def _plain(sentence: str) -> str:
    """A catalogue sentence without its blanks, for a table of counts."""
    for blank, word in (("{column}", "a column"), ("{limit}", "its limit"), ("{detail}", "some"), (": some.", ".")):
        sentence = sentence.replace(blank, word)
    return sentence.replace("[", r"\[")


def _coverage(facts: dict[str, Any], console: Console) -> None:
    for one in facts.get("value_maps", []):
        name = f"{one['task']}.{one['destination']}"
        if one["unmapped"]:
            values = ", ".join(f"{value} ({count})" for value, count in list(one["unmapped"].items())[:10])
            console.print(f"  {name}: source values without a map: {values}", highlight=False, markup=False)
        if one["never_used"]:
            keys = ", ".join(key or '""' for key in one["never_used"][:20])
            console.print(f"  {name}: keys never used: {keys}", highlight=False, markup=False)


def _ending(result: Result, console: Console) -> None:
    facts = result.facts
    forecast = facts["forecast"]
    outcomes = facts["outcomes"]
    if facts["applied"]:
        told = ", ".join(f"{outcomes[name]:,} {name}" for name in OUTCOME_NAMES if outcomes[name])
        console.print(f"  outcomes: {told or 'nothing to do'}", highlight=False)
    else:
        console.print(
            f"  forecast: {forecast['bytes']:,} bytes of packages; {forecast['minutes']} minutes at {forecast['rate']} rows/s "
            f"({forecast['rate_from']})",
            highlight=False,
            soft_wrap=True,
        )
    sentence = {
        "clean": "clean: every contact has its place.",
        "attention": "attention: some contacts need a person; the findings say which and why.",
        "broken": "broken: an equation does not balance.",
    }[facts["verdict"]]
    console.print(f"Verdict {sentence}", style="bold", highlight=False)
