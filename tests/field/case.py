"""What a case of ``tests/field`` says must hold, and where a plan differs from it.

A case is a folder of input files with a ``case.toml``:

* ``settings``: further ``--set`` values; a ``p2c.toml`` beside is the project; ``here``: it lies in
  the source folder itself;
* ``[[make]]``: a file too large to keep: ``file``, ``header``, ``row`` (a format with n), ``rows``;
* ``[right]``: ``exit`` (a code or several), ``message`` and ``not_message`` (patterns of what p2c
  said), ``refusal`` (patterns, if it refused), ``counts``, ``decisions`` (contactid =
  "decision/reason", a decision, several with ``|``, or "none"), ``rows`` (contactid = columns),
  ``findings`` and ``no_findings`` ("code ~ pattern"), ``any_finding`` (contactids), ``never``
  (values) and ``never_part`` (parts of values of planned rows).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import polars as pl

NOT_INPUT: Final = ("case.toml", "p2c.toml")
OURS: Final = ("row_hash", "batch", "action")
TOLD: Final = ("column", "destination", "message", "value", "source_file", "contactid")
"""Columns of a finding that a pattern may match."""
REFUSED: Final = 2


@dataclass(kw_only=True, slots=True)
class Planned:
    """What a run folder holds, as far as cases ask."""

    counts: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, set[str]] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)


def lay_out(case: Path, told: Mapping[str, Any], work: Path) -> list[str]:
    """Copy a case's inputs into a folder of their own; the words that ``p2c plan`` is given."""
    source = work / "source"
    shutil.copytree(
        case, source, ignore=lambda folder, _names: NOT_INPUT if Path(folder) == case else ()
    )
    for one in told.get("make", []):
        lines = [one["header"], *(one["row"].format(n=n) for n in range(one["rows"]))]
        path = source / one["file"]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    project = case / "p2c.toml"
    if told.get("here"):
        shutil.copy(project, source)
        return ["--project", str(source / "p2c.toml"), "--runs", str(source / "runs")]
    words = ["--source", str(source), "--runs", str(work / "runs")]
    if project.is_file():
        shutil.copy(project, work)
        words += ["--project", str(work / "p2c.toml")]
    return words


def read_plan(folder: Path) -> Planned:
    """What a plan came to."""
    found = Planned()
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["balanced"]
    for equation in summary["equations"]:
        for name, count in equation["terms"].items():
            found.counts.setdefault(name, count)
    found.counts |= summary["counts"]
    decided = pl.read_parquet(folder / "decisions.parquet")
    for contact, decision, reason in decided.select("contactid", "decision", "reason").rows():
        found.decisions.setdefault(str(contact).lower(), set()).add(f"{decision}/{reason}")
    found.findings = pl.read_parquet(folder / "findings.parquet").to_dicts()
    for file in sorted(folder.glob("rows/*/*.parquet")):
        for row in pl.read_parquet(file).to_dicts():
            found.rows[str(row["contactid"]).lower()] = row
    return found


def compare_said(right: Mapping[str, Any], code: int, said: str) -> Iterator[str]:
    """Where exit code and words differ from what is right."""
    wanted = right.get("exit", 0)
    codes = wanted if isinstance(wanted, list) else [wanted]
    if code not in codes:
        yield f"exit {code}, not {' or '.join(map(str, codes))}"
    patterns = list(right.get("message", []))
    patterns += right.get("refusal", []) if code == REFUSED else []
    yield from (f"not said: /{one}/" for one in patterns if not re.search(one, said))
    yield from (f"said: /{one}/" for one in right.get("not_message", []) if re.search(one, said))


def compare_plan(right: Mapping[str, Any], plan: Planned) -> Iterator[str]:
    """Where a plan differs from what is right."""
    for name, count in right.get("counts", {}).items():
        if plan.counts.get(name) != count:
            yield f"{name} {plan.counts.get(name)}, not {count}"
    for contact, decision in right.get("decisions", {}).items():
        yield from _compare_decision(contact, decision, plan.decisions.get(contact.lower(), set()))
    for contact, cells in right.get("rows", {}).items():
        row = plan.rows.get(contact.lower(), {})
        for column, value in cells.items():
            if column not in row or not _is_same(row[column], value):
                yield f"{contact} {column} {row.get(column, 'is not planned')!r}, not {value!r}"
    findings = plan.findings
    yield from (f"no finding {x}" for x in right.get("findings", []) if not _match(findings, x))
    yield from (f"finding {x}" for x in right.get("no_findings", []) if _match(findings, x))
    named = {str(one["contactid"]).lower() for one in findings if one["contactid"]}
    yield from (f"no finding of {x}" for x in right.get("any_finding", []) if x not in named)
    yield from _find_forbidden(right, plan)


def _find_forbidden(right: Mapping[str, Any], plan: Planned) -> Iterator[str]:
    for row in plan.rows.values():
        for name, cell in row.items():
            if name in OURS or cell is None:
                continue
            if any(_is_same(cell, one) for one in right.get("never", [])):
                yield f"planned {name} = {cell!r}"
            if any(one in str(cell) for one in right.get("never_part", [])):
                yield f"planned {name} has {cell!r}"


def _compare_decision(contact: str, wanted: str, there: set[str]) -> Iterator[str]:
    if wanted == "none":
        if there:
            yield f"{contact} {', '.join(sorted(there))}, not gone"
        return
    allowed = [one.strip() for one in wanted.split("|")]
    for one in sorted(there) or ["no decision"]:
        if not any(one == good or one.startswith(f"{good}/") for good in allowed):
            yield f"{contact} {one}, not {wanted}"


def _match(findings: list[dict[str, Any]], wanted: str) -> bool:
    code, _, pattern = (text.strip() for text in wanted.partition(" ~ "))
    return any(
        one["code"] == code
        and (not pattern or any(re.search(pattern, str(one.get(text) or "")) for text in TOLD))
        for one in findings
    )


def _is_same(cell: object, value: str) -> bool:
    if cell is None or isinstance(cell, str):
        return (cell or "") == value
    try:
        return Decimal(str(cell)) == Decimal(value)
    except InvalidOperation:
        return False
