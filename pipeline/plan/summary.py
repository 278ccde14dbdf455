"""The facts of a run: counts, equations, verdict.

``summary.json``, ``--json`` and what the terminal shows are renderings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from pipeline.errors import InvariantBroken
from pipeline.extract.landing import Landed
from pipeline.mapping.compile import Compiled
from pipeline.plan.forecast import forecast
from pipeline.plan.prepare import Prepared
from pipeline.project.resolve import Project
from pipeline.run.facts import PLANNED, _verdict, equation
from pipeline.run.files import write_table
from pipeline.run.findings import RunFinding
from pipeline.run.folder import RunFolder
from pipeline.transform.decide import CUSTOMERS
from pipeline.transform.tally import Tally
from schemas.codes import Decision
from schemas.run import BATCHES, OUTCOME_NAMES, OUTCOMES

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
        found.append(
            RunFinding(
                code="flag_null",
                detail=f"{tally.flags['blank']}",
                column="msdynce_isactivecustomer",
            )
        )
    persons = tally.decisions["contact"]
    if persons and not prepared.parameters["scm_read"]:
        found.append(RunFinding(code="accounts_assumed", detail=str(persons)))
    if tally.customers_with_currency_id and not prepared.parameters["has_currencies"]:
        found.append(
            RunFinding(code="currency_unresolved", detail=str(tally.customers_with_currency_id))
        )
    for (task, column), count in tally.defaulted.items():
        if count:
            found.append(
                RunFinding(code="default_used", detail=str(count), column=f"{task}.{column}")
            )
    for (_, column), code in zip(
        ((CUSTOMERS, "SiteId"), (CUSTOMERS, "WarehouseId"), (CUSTOMERS, "LanguageId")),
        ("site_missing", "warehouse_missing", "language_missing"),
        strict=True,
    ):
        if tally.blanks[CUSTOMERS, column]:
            found.append(
                RunFinding(code=code, detail=str(tally.blanks[CUSTOMERS, column]), column=column)
            )
    return found


def of_plan(
    project: Project,
    folder: RunFolder,
    run: str,
    counted: Counted,
    mappings: Mapping[str, Compiled],
) -> dict[str, Any]:
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
    unchanged = sum(
        count for (_, _, action), count in tally.actions.items() if action == "unchanged"
    )
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {
        "unchanged": unchanged,
        "pending": planned - unchanged,
    }
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
        equation(
            "contacts = customer + contact + skipped + held + rejected",
            sum(counts.values()),
            counts,
        ),
        equation(PLANNED, planned, outcomes),
        equation(
            "planned = customer + contact",
            planned,
            {name: counts[name] for name in ("customer", "contact")},
        ),
    ]
    facts = {
        "run": run,
        "kind": "main",
        "applied": False,
        "verdict": _verdict(counts, outcomes, findings),
        "balanced": all(one["balanced"] for one in equations),
        "equations": equations,
        "counts": counts,
        "reasons": {
            f"{decision}/{reason}": count
            for (decision, reason), count in sorted(tally.reasons.items())
        },
        "findings": findings,
        "outcomes": outcomes,
        "actions": [
            {"task": task, "legal_entity": entity, "action": action, "rows": count}
            for (task, entity, action), count in sorted(tally.actions.items())
        ],
        "counted": [
            {"code": one.code, "detail": one.detail, "column": one.column}
            for one in counted.findings
            if one.detail.isdigit()
        ],
        "value_maps": _coverage(tally, mappings),
        "forecast": forecast(project, folder, tally, mappings),
    }
    if not facts["balanced"]:
        wrong = next(one for one in equations if not one["balanced"])
        raise InvariantBroken(
            f"{wrong['equation']} does not balance: {wrong['left']} against {wrong['right']}."
        )
    return facts


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
                value: count
                for (name, column, value), count in tally.unmapped.items()
                if (name, column) == (task, target.name)
            }
            found.append(
                {
                    "task": task,
                    "destination": target.name,
                    "source": target.row.row.source,
                    "keys": uses,
                    "never_used": [key for key, count in uses.items() if not count],
                    "unmapped": dict(
                        sorted(unmapped.items(), key=lambda one: (-one[1], one[0]))[:200]
                    ),
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
            rows.append(
                {
                    "task": task,
                    "legal_entity": entity,
                    "batch": batch,
                    "rows": there,
                    "status": "planned",
                }
            )
    return pl.DataFrame([{**dict.fromkeys(BATCHES.names()), **row} for row in rows], schema=BATCHES)
