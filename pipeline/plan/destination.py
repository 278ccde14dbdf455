"""SCM as a plan needs it: what is there, which keys are ours, and what ``run.json`` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from pipeline.events import Listener, Step
from pipeline.lazy import import_lazily
from pipeline.load import remember
from pipeline.mapping.references import References
from pipeline.plan import known
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_scm
from pipeline.run.facts import ScmSeen
from pipeline.run.findings import RunFinding

if TYPE_CHECKING:
    from pipeline.plan import columns
    from pipeline.plan.columns import LiveColumns
    from pipeline.scm import look
    from pipeline.scm.look import ScmNeeds, ScmSnapshot
else:
    columns = import_lazily("pipeline.plan.columns")
    look = import_lazily("pipeline.scm.look")

FOLDER: Final = "scm"
"""In the run folder: the keys and reference data that SCM had, asked or by its exports."""

SCRATCH: Final = "scratch"
"""In the run folder while it is made: what joins need, and is gone afterwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """What is known of the destination.

    All is null or empty where SCM was not asked and no export says anything.
    """

    customers: Path | None = None
    """A Parquet file: CustomerAccount, PartyNumber, dataAreaId as text."""
    persons: Path | None = None
    """A Parquet file: dataAreaId, ContactPersonPartyNumber, AssociatedPartyNumber as text."""
    prospects: pl.DataFrame | None = None
    references: References | None = None
    seen: ScmSnapshot | None = None
    live: LiveColumns | None = None
    """The project as SCM's metadata have its columns; null where SCM was not asked."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """Fingerprints of the data that it was read from, taken before they were read."""

    @property
    def findings(self) -> list[RunFinding]:
        """Columns whose values could not be checked, and what may stop the load."""
        if self.seen is None:
            return []
        unread = [
            RunFinding(code="reference_unread", column=one.column, detail=one.entity_set)
            for one in self.seen.unread
        ]
        doubts = [RunFinding(code=one.code, detail=one.text) for one in self.seen.preflight.doubts]
        return [*unread, *doubts]

    @property
    def facts(self) -> ScmSeen:
        """For ``run.json``."""
        if self.seen is None:
            return ScmSeen()
        return ScmSeen(
            system=self.seen.system,
            legal_entities=dict(self.seen.names),
            customers=self.seen.customer_count,
            contact_persons=self.seen.person_count,
            labels=dict(self.seen.labels),
        )

    @property
    def lines(self) -> list[str]:
        """For people."""
        if self.seen is None:
            return []
        named = ", ".join(
            f"{entity} ({name})" if name else entity for entity, name in self.seen.names.items()
        )
        there = (
            f"{self.seen.customer_count:,} customers and "
            f"{self.seen.person_count:,} contact persons are there"
        )
        return [f"Into {self.seen.system}, legal entities {named or 'none'}", f"  {there}"]


def scm_needs(live: LiveColumns) -> ScmNeeds:
    """What a project needs of SCM, now that its columns are known."""
    project = live.project
    destination = project.settings.destination
    return look.ScmNeeds(
        mappings=tuple(project.mappings().values()),
        legal_entities=project.legal_entities,
        labels=destination.entity_labels,
        packages=destination.load != "odata",
        model=live.model,
        wrong=live.wrong,
        example=project.settings.source.example_number,
    )


def look_at(project: Project, into: Path, runs: Path, listener: Listener) -> Destination:
    """Look at a plan's destination: SCM itself, the export that the project names, or nothing.

    Args:
        project: says which.
        into: the run folder.
        runs: the folder of all runs.
        listener: hears of progress.

    Raises:
        Refused: SCM does not take the templates, the export cannot be read, or a load into this
            destination has not ended.
        Stopped: SCM cannot be reached, or refuses.
    """
    known.refuse_unfinished(runs, project)
    if project.scm is None:
        pinned = {known.KNOWN_CUSTOMERS: known.hash_customers(project)}
        customers = known.keep_customer_exports(project, into / FOLDER)
        return Destination(customers=customers, pinned=pinned)

    def report(what: str, rows: int) -> None:
        listener(Step(name=f"looking at {what}", done=rows))

    with connect_scm(project, listener=listener) as scm:
        live = columns.ask_columns(project, scm)
        seen = look.look_at_scm(scm, scm_needs(live), into / FOLDER, report)
    return Destination(
        customers=seen.customers,
        persons=seen.persons,
        prospects=seen.preflight.prospects,
        references=seen.references,
        seen=seen,
        live=live,
        pinned={known.KNOWN_CUSTOMERS: known.hash_customers(project)},
    )


def mend_memory(runs: Path, project: Project) -> bool:
    """Rebuild what is remembered of a project's SCM if that is behind; whether it was."""
    name = project.settings.destination.name
    return project.scm is not None and remember.rebuild_if_behind(runs, name)
