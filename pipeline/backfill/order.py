"""What a write-back is asked for: which plan, into which Sales, how."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.backfill.counter import Reservation
from pipeline.events import Listener
from pipeline.project.settings import BackfillSettings
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.wire.salesrows import SalesRows
from pipeline.wire.system import System


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """One backfill, or the undo of one, that is to be written into Sales.

    ``wanted``: the numbers to reserve; none for an undo. ``size``: rows of a request. ``in_bulk``:
    by ``UpdateMultiple``, into a Sales that nobody else writes to.
    """

    folder: RunFolder
    journal: Journal
    sales: SalesRows
    wanted: Reservation
    size: int
    in_bulk: bool
    listener: Listener


def make_order(
    folder: RunFolder,
    system: System,
    manner: BackfillSettings,
    wanted: Reservation,
    journal: Journal,
    listener: Listener,
) -> WriteBack:
    """An order by the project's settings.

    Args:
        folder: the run.
        system: Sales.
        manner: how the project wants rows written.
        wanted: the numbers to reserve.
        journal: the run's, open.
        listener: called as rows are written.
    """
    return WriteBack(
        folder=folder,
        journal=journal,
        sales=SalesRows(system=system, options=list_headers(manner)),
        wanted=wanted,
        size=manner.request_rows,
        in_bulk=manner.bulk == "UpdateMultiple",
        listener=listener,
    )


def list_headers(manner: BackfillSettings) -> dict[str, str]:
    """Extra headers of every write (reference A.12): none, unless the project asks for them."""
    found: dict[str, str] = {}
    if manner.bypass == "plugins":
        found["MSCRM.BypassCustomPluginExecution"] = "true"
    if manner.bypass == "logic":
        found["MSCRM.BypassBusinessLogicExecution"] = "CustomSync,CustomAsync"
    if manner.duplicate_detection == "suppress":
        found["MSCRM.SuppressDuplicateDetection"] = "true"
    return found
