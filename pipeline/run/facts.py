"""The facts of a run: equations, verdict, exit code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from schemas.run import OUTCOME_NAMES

PLANNED: Final = "planned = created + updated + unchanged + written + failed + unknown + pending"


def facts_digest(facts: Mapping[str, Any]) -> str:
    """The SHA-256 of ``summary.json``'s facts, but for the journal's hash in it.

    The journal vouches for it.
    """
    told = json.loads(
        json.dumps({name: value for name, value in facts.items() if name != "journal"}, default=str)
    )
    return hashlib.sha256(
        json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def after_apply(
    facts: dict[str, Any], outcomes: Mapping[str, int], added: Mapping[str, int] | None = None
) -> dict[str, Any]:
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
    if (
        verdict == "clean"
        and facts["kind"] in ("backfill", "undo")
        and facts["verdict"] == "attention"
    ):
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
    return {
        "equation": text,
        "left": left,
        "right": total,
        "terms": dict(right),
        "balanced": left == total,
    }


def _verdict(
    counts: Mapping[str, int], outcomes: Mapping[str, int], findings: Mapping[str, int]
) -> str:
    people = (
        counts.get("held", 0)
        + counts.get("rejected", 0)
        + outcomes["failed"]
        + outcomes["unknown"]
        + findings.get("row_unreadable", 0)
        + findings.get("counts_disagree", 0)
    )
    return "attention" if people else "clean"
