"""What a plan knows from elsewhere, and whether that still holds.

SCM's customers from an export, and what earlier loads left.

**The memory of loads decides what is created, updated and left alone.** When another run loads
contacts of a plan (or an undo takes them back), what that plan says of them is stale: a row that it
calls unchanged would not be sent, though SCM has other values by now. So a plan pins what the
memory has of the contacts that it compares, by key and by number, and is refused when that is
something else. Loads of other contacts do not touch it, nor does what the plan's own load
remembers: once it has started, nothing is compared.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from pipeline.extract.exports import land_exports, list_export_files
from pipeline.plan.customers import keep_customers
from pipeline.plan.prepare import store_loaded
from pipeline.project.resolve import Project
from pipeline.run.files import hash_file
from pipeline.run.folder import RunFolder
from pipeline.run.memory import list_whole_memories
from pipeline.run.unfinished import refuse_unfinished_load
from schemas.scm import CUSTOMERS_EXPORT, CUSTOMERS_V2
from sql.query import query
from sql.session import Session, session

KNOWN_CUSTOMERS: Final = "known customers"
"""The fingerprint of the export."""

LOADED_MEMORY: Final = "memory"
"""The fingerprint of what earlier loads left of the contacts of a plan."""

NO_EXPORT: Final = "none"

_COLUMNS: Final = ("CustomerAccount", "PartyNumber", "dataAreaId")
CUSTOMERS_FILE: Final = "known_customers.parquet"
_SCRATCH: Final = "exports"


def keep_customer_exports(project: Project, folder: Path) -> Path | None:
    """Put the *Customers V2* exports that a project names into one Parquet file.

    They are files, packages and folders of them. Customers that are deleted in SCM are left out.
    However many they are, they take no memory.

    Args:
        project: names them.
        folder: of the file; made if it is not there.

    Returns:
        The file: CustomerAccount, PartyNumber and dataAreaId, as text; null where it names none.

    Raises:
        SourceError: a file is missing, cannot be read, lacks a column, or has rows that cannot be
            read. A row that is lost here could turn a takeover into an overwrite.
        Stopped: the disk failed, or is full.
    """
    paths = project.known_customers
    if not paths:
        return None
    tables = {CUSTOMERS_V2.name: CUSTOMERS_EXPORT}
    folder.mkdir(mode=0o700, exist_ok=True)
    path, scratch = folder / CUSTOMERS_FILE, folder / _SCRATCH
    scratch.mkdir(mode=0o700)
    try:
        found = land_exports(
            paths, tables, project.legal_entities, "destination.known_customers", scratch
        )
        keep_customers(found[CUSTOMERS_V2.name], path, scratch)
    finally:
        shutil.rmtree(scratch)
    return path


def hash_customers(project: Project) -> str:
    """The SHA-256 of the exports of known customers; ``NO_EXPORT`` where there is none.

    Of several files it is one of their names and hashes.
    """
    paths = project.known_customers
    if not paths or not all(path.exists() for path in paths):
        return NO_EXPORT
    if len(paths) == 1 and paths[0].is_file():
        return hash_file(paths[0])
    files = [f"{path.name} {hash_file(path)}\n" for path in list_export_files(paths)]
    return hashlib.sha256("".join(files).encode()).hexdigest()


def pin_destination(folder: RunFolder, project: Project) -> dict[str, str]:
    """What a plan for SCM holds on to, as it is now.

    Args:
        folder: the run that was planned.
        project: says where the export and the memory are.
    """
    with session() as here:
        store_loaded(
            here, list_whole_memories(folder.path.parent, project.settings.destination.name)
        )
        memory = digest_memory(here, folder)
    return {KNOWN_CUSTOMERS: hash_customers(project), LOADED_MEMORY: memory}


def digest_memory(here: Session, folder: RunFolder) -> str:
    """What the memory has of the contacts that a run decided about.

    The session has ``loaded`` (``store_loaded``). Text that is equal where that is, in whatever
    order.
    """
    here.parquet("decisions", folder.decisions)
    return str(here.frame(query("plan/loaded_content")).item())


def refuse_unfinished(runs: Path, project: Project) -> None:
    """Refuse to plan for a destination while a load into it has not ended.

    Raises:
        PlanRefused: its rows would be held as somebody else's, for nobody knows what arrived.
    """
    refuse_unfinished_load(runs, project.settings.destination.name)
