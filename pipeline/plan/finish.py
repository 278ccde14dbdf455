"""The last steps of a plan: facts, batches and summary, once everything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.plan.batches import write_batches
from pipeline.plan.prepare import Prepared
from pipeline.plan.record import complete_facts
from pipeline.plan.request import Planning
from pipeline.plan.summary import PlanCounts, summarize_plan
from pipeline.run.facts import RunFacts
from pipeline.run.folder import Clock
from pipeline.run.vouching import write_plan
from pipeline.transform.decide import Decider


def finish_plan(
    planning: Planning,
    facts: RunFacts,
    decided: tuple[Prepared, Decider],
    sources: Mapping[Path, str],
    clock: Clock,
) -> None:
    """Write what is known now, and vouch for all of it.

    Args:
        planning: the plan.
        facts: ``run.json`` as it was written first.
        decided: what was counted.
        sources: the SHA-256 of every file of the source.
        clock: the time.

    Raises:
        InvariantBroken: an equation does not balance.
    """
    prepared, decider = decided
    folder, landed = planning.folder, planning.source.landed
    folder.write_facts(complete_facts(facts, planning, sources))
    write_batches(folder, decider.batcher.sizes)
    counted = PlanCounts(
        tally=decider.tally, findings=prepared.findings, landed=landed, units=prepared.units
    )
    summary = summarize_plan(planning, facts, counted)
    write_plan(folder, summary, folder.plan_files(), clock, known=planning.hashes)
