"""One SCM: database, blob storage, Data management and OData service, made and closed together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Final

from pipeline.sandbox.scm import seed
from pipeline.sandbox.scm.dmf.actions import PackageActions
from pipeline.sandbox.scm.dmf.groups import Groups
from pipeline.sandbox.scm.dmf.importing import PackageImporter, Work
from pipeline.sandbox.scm.dmf.management import DataManagement
from pipeline.sandbox.scm.dmf.messages import Messages
from pipeline.sandbox.scm.entities import extend_catalogue
from pipeline.sandbox.scm.seed import Company
from pipeline.sandbox.scm.service import ScmService
from pipeline.sandbox.scm.switches import STRICT, Switches
from pipeline.sandbox.scm.writing import Desk
from pipeline.sandbox.wire.blob import BlobStore

THREADS: Final = 4
"""Imports at the same time, where the switches allow more than one."""


class ScmTwin:
    """An SCM that is set up and has no customers yet.

    ``clock`` gives seconds since 1970. With ``background`` imports run in threads, else
    within the calls that start them. ``company`` is every caller's default legal entity;
    ``applications`` are the client ids that are registered here, null lets in everyone whom the
    login knows; ``desk`` writes the rows; ``columns`` are those that the site added
    (``extend_catalogue``).
    """

    def __init__(
        self,
        *,
        switches: Switches = STRICT,
        companies: Iterable[Company] = seed.COMPANIES,
        company: str = "usmf",
        applications: frozenset[str] | None = None,
        clock: Callable[[], float] = time.time,
        path: str = ":memory:",
        columns: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
        background: bool = True,
        desk: type[Desk] = Desk,
    ) -> None:
        self._pool = (
            ThreadPoolExecutor(THREADS, thread_name_prefix="import") if background else None
        )
        self.applications = applications
        self.store = seed.open_store(path, tuple(companies), extend_catalogue(columns))
        seed.set_up_labels(self.store, switches.language)
        seed.set_up_sequences(self.store, manual=switches.manual_numbers)
        self.desk = desk(store=self.store, switches=switches)
        self.blobs = BlobStore(clock, seconds=switches.blob_seconds)
        self.importer = PackageImporter(
            desk=self.desk, groups=Groups(store=self.store), clock=clock, worker=self._work
        )
        self.messages = Messages(importer=self.importer)
        self.management = DataManagement(
            importer=self.importer, blobs=self.blobs, messages=self.messages
        )
        self.service = ScmService(
            desk=self.desk, actions=PackageActions(management=self.management), company=company
        )

    def close(self) -> None:
        """Wait for running imports and close the database."""
        if self._pool is not None:
            self._pool.shutdown()
        self.store.close()

    def _work(self, work: Work) -> None:
        if self._pool is None:
            work()
        else:
            self._pool.submit(work)
