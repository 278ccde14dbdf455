"""The facts of a run: counts, equations, verdict. ``summary.json``, ``--json`` and what the terminal shows are renderings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from pipeline.errors import InvariantBroken
from pipeline.extract.landing import Landed
from pipeline.folder import RunFolder, write_table
from pipeline.load.package import PackageSpec, build_package
from pipeline.mapping.compile import Compiled
from pipeline.project import Project
from pipeline.transform.decide import CUSTOMERS
from pipeline.transform.prepare import Prepared, RunFinding
from pipeline.transform.tally import Tally
from schemas.codes import Decision
from schemas.run import BATCHES, OUTCOME_NAMES, OUTCOMES
from schemas.scm import ENTITIES

RATE: Final = 200_000 / 3600
"""Rows per second that a plan reckons with: the design point of Microsoft's batch data API, for want of a measurement."""

_RATE_FROM: Final = "assumed: design point of the DMF batch API, 200,000 rows an hour; never measured at your destination"
_SAMPLE: Final = 2_000
_DONE: Final = ("created", "updated", "unchanged", "written")


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What planning counted."""

    tally: Tally
    findings: list[RunFinding]
    landed: Mapping[str, Landed]


def run_findings(tally: Tally, project: Project, prepared: Prepared) -> list[RunFinding]:
    """Warnings of the run as a whole, each counted once."""
    found: list[RunFinding] = []
    contacts = sum(tally.decisions.values())
    if not contacts:
        found.append(RunFinding(code="no_contacts"))
    elif not tally.flags["yes"]:
        found.append(RunFinding(code="flag_never_set", column="msdynce_isactivecustomer"))
    if tally.flags["blank"] and project.settings.source.flag_blank == "no":
        found.append(RunFinding(code="flag_null", detail=f"{tally.flags['blank']}", column="msdynce_isactivecustomer"))
    persons = tally.decisions["contact"]
    if persons and not prepared.parameters["scm_read"]:
        found.append(RunFinding(code="accounts_assumed", detail=str(persons)))
    if tally.customers_with_currency_id and not prepared.parameters["has_currencies"]:
        found.append(RunFinding(code="currency_unresolved", detail=str(tally.customers_with_currency_id)))
    for (task, column), count in tally.defaulted.items():
        if count:
            found.append(RunFinding(code="default_used", detail=str(count), column=f"{task}.{column}"))
    for (_, column), code in zip(
        ((CUSTOMERS, "SiteId"), (CUSTOMERS, "WarehouseId"), (CUSTOMERS, "LanguageId")),
        ("site_missing", "warehouse_missing", "language_missing"),
        strict=True,
    ):
        if tally.blanks[CUSTOMERS, column]:
            found.append(RunFinding(code=code, detail=str(tally.blanks[CUSTOMERS, column]), column=column))
    return found


def of_plan(project: Project, folder: RunFolder, run: str, counted: Counted, mappings: Mapping[str, Compiled]) -> dict[str, Any]:
    """The facts of a plan.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    tally = counted.tally
    contacts = counted.landed["contacts"]
    unreadable = len(contacts.unreadable)
    counts = {name.value: tally.decisions[name.value] for name in Decision}
    findings = dict(sorted(_finding_counts(counted).items()))
    planned = sum(tally.actions.values())
    unchanged = sum(count for (_, _, action), count in tally.actions.items() if action == "unchanged")
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"unchanged": unchanged, "pending": planned - unchanged}
    equations = [
        equation(
            "rows = contacts + superseded + deleted + unreadable",
            contacts.rows + unreadable,
            {
                "contacts": sum(counts.values()),
                "superseded": tally.states["superseded"],
                "deleted": tally.states["deleted"],
                "unreadable": unreadable,
            },
        ),
        equation("contacts = customer + contact + skipped + held + rejected", sum(counts.values()), counts),
        equation(PLANNED, planned, outcomes),
        equation("planned = customer + contact", planned, {name: counts[name] for name in ("customer", "contact")}),
    ]
    facts = {
        "run": run,
        "kind": "main",
        "applied": False,
        "verdict": _verdict(counts, outcomes, findings),
        "balanced": all(one["balanced"] for one in equations),
        "equations": equations,
        "counts": counts,
        "reasons": {f"{decision}/{reason}": count for (decision, reason), count in sorted(tally.reasons.items())},
        "findings": findings,
        "outcomes": outcomes,
        "actions": [
            {"task": task, "legal_entity": entity, "action": action, "rows": count}
            for (task, entity, action), count in sorted(tally.actions.items())
        ],
        "counted": [
            {"code": one.code, "detail": one.detail, "column": one.column} for one in counted.findings if one.detail.isdigit()
        ],
        "value_maps": _coverage(tally, mappings),
        "forecast": forecast(project, folder, tally, mappings),
    }
    if not facts["balanced"]:
        wrong = next(one for one in equations if not one["balanced"])
        raise InvariantBroken(f"{wrong['equation']} does not balance: {wrong['left']} against {wrong['right']}.")
    return facts


PLANNED: Final = "planned = created + updated + unchanged + written + failed + unknown + pending"


def after_apply(facts: dict[str, Any], outcomes: Mapping[str, int], added: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The facts of a plan once it was applied.

    Args:
        facts: those of the plan.
        outcomes: rows by outcome.
        added: findings that applying added, by code.
    """
    findings = facts["findings"] | dict(added or {})
    whole = dict.fromkeys(OUTCOME_NAMES, 0) | dict(outcomes)
    planned = next(one["left"] for one in facts["equations"] if one["equation"] == PLANNED)
    whole["pending"] = planned - sum(whole[name] for name in OUTCOME_NAMES if name != "pending")
    counted = equation(PLANNED, planned, whole)
    equations = [counted if one["equation"] == PLANNED else one for one in facts["equations"]]
    balanced = all(one["balanced"] for one in equations) and whole["pending"] == 0
    verdict = _verdict(facts["counts"], whole, findings) if balanced else "broken"
    if verdict == "clean" and facts["kind"] in ("backfill", "undo") and facts["verdict"] == "attention":
        verdict = "attention"  # its findings are of contacts, or rows to take back by hand, that no outcome speaks of
    return {
        **facts,
        "applied": True,
        "findings": findings,
        "outcomes": whole,
        "equations": equations,
        "balanced": balanced,
        "verdict": verdict,
    }


def exit_code(facts: Mapping[str, Any]) -> int:
    """0 clean, 1 something needs a person, 3 stopped, 4 broken."""
    return {"clean": 0, "attention": 1, "stopped": 3, "broken": 4}[str(facts["verdict"])]


def equation(text: str, left: int, right: Mapping[str, int]) -> dict[str, Any]:
    """An equation of ``summary.json``: its terms, and whether they add up."""
    total = sum(right.values())
    return {"equation": text, "left": left, "right": total, "terms": dict(right), "balanced": left == total}


def _verdict(counts: Mapping[str, int], outcomes: Mapping[str, int], findings: Mapping[str, int]) -> str:
    people = (
        counts.get("held", 0)
        + counts.get("rejected", 0)
        + outcomes["failed"]
        + outcomes["unknown"]
        + findings.get("row_unreadable", 0)
        + findings.get("counts_disagree", 0)
    )
    return "attention" if people else "clean"


def _finding_counts(counted: Counted) -> dict[str, int]:
    """Rows of ``findings.parquet`` by code."""
    counts = dict(counted.tally.findings)
    for one in counted.findings:
        counts[one.code] = counts.get(one.code, 0) + 1
    unreadable = sum(len(table.unreadable) for table in counted.landed.values())
    return counts | ({"row_unreadable": unreadable} if unreadable else {})


def _coverage(tally: Tally, mappings: Mapping[str, Compiled]) -> list[dict[str, Any]]:
    """For every value map: how often each key was used, which never were, and which source values had none."""
    found = []
    for task, mapping in mappings.items():
        for target in mapping.targets:
            if target.lookup is None:
                continue
            uses = {key: tally.key_uses[task, target.name, key] for key in target.lookup.map_keys}
            unmapped = {
                value: count for (name, column, value), count in tally.unmapped.items() if (name, column) == (task, target.name)
            }
            found.append(
                {
                    "task": task,
                    "destination": target.name,
                    "source": target.row.row.source,
                    "keys": uses,
                    "never_used": [key for key, count in uses.items() if not count],
                    "unmapped": dict(sorted(unmapped.items(), key=lambda one: (-one[1], one[0]))[:200]),
                    "unmapped_values": len(unmapped),
                }
            )
    return found


def batches_preview(folder: RunFolder, project: Project, tally: Tally) -> pl.DataFrame:
    """The batches that apply will send; outcomes of unchanged rows are known already."""
    write_table(folder.outcomes, OUTCOMES.to_frame())
    rows = []
    size = project.settings.destination.batch_rows
    sent: dict[tuple[str, str], int] = {}
    for (task, entity, action), count in sorted(tally.actions.items()):
        sent[task, entity] = sent.get((task, entity), 0) + (count if action != "unchanged" else 0)
    for (task, entity), count in sent.items():
        for batch in range(1, -(-count // size) + 1):
            there = min(size, count - (batch - 1) * size)
            rows.append({"task": task, "legal_entity": entity, "batch": batch, "rows": there, "status": "planned"})
    return pl.DataFrame([{**dict.fromkeys(BATCHES.names()), **row} for row in rows], schema=BATCHES)


def forecast(project: Project, folder: RunFolder, tally: Tally, mappings: Mapping[str, Compiled]) -> dict[str, Any]:
    """What applying will cost. Bytes are reckoned from packages of the first rows; the rate is stated with its source."""
    sent = dict.fromkeys(mappings, 0)
    for (task, _, action), count in tally.actions.items():
        sent[task] += 0 if action == "unchanged" else count
    size = sum(_reckoned(project, folder, task, mappings[task], count) for task, count in sent.items())
    rows = sum(sent.values())
    return {
        "requests": _requests(project, tally),
        "bytes": size,
        "minutes": round(rows / RATE / 60, 1),
        "rate": round(RATE, 1),
        "rate_from": _RATE_FROM,
    }


def _reckoned(project: Project, folder: RunFolder, task: str, mapping: Compiled, rows: int) -> int:
    files = folder.rows_files(task)
    if not rows or not files:
        return 0
    planned, sent = pl.scan_parquet(files[0], glob=False), pl.col("batch").is_not_null()
    head = planned.head(_SAMPLE).filter(sent).collect()
    if head.height < _SAMPLE:
        head = planned.filter(sent).head(_SAMPLE).collect()
    if head.is_empty():
        return 0
    if project.settings.destination.load == "odata":
        there = len(head.select(mapping.columns).write_ndjson().encode())
    else:
        there = len(build_package(package_spec(project, mapping, str(head["legal_entity"][0]), 1), head).content)
    return round(there * rows / head.height)


def _requests(project: Project, tally: Tally) -> int:
    """Requests of an OData load; those of packages depend on how long SCM takes."""
    destination = project.settings.destination
    sent: Counter[tuple[str, str]] = Counter()
    for (task, entity, action), count in tally.actions.items():
        sent[task, entity] += 0 if action == "unchanged" else count
    limit = {"odata": None, "auto": destination.auto_rows}.get(destination.load, 0)
    return sum(-(-count // destination.odata_rows) for count in sent.values() if limit is None or count <= limit)


def package_spec(project: Project, mapping: Compiled, legal_entity: str, batch: int) -> PackageSpec:
    """How packages of a task are built."""
    entity = ENTITIES[mapping.template.entity]
    label = project.settings.destination.contacts_label if entity.name == "CDS Contacts" else entity.labels[0]
    return PackageSpec(
        task=mapping.template.task,
        entity_label=label,
        aot_name=entity.aot_name,
        legal_entity=legal_entity,
        batch=batch,
        columns=mapping.columns,
    )
