"""Several parts of several tables at once, as many as the server likes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from pipeline.errors import RequestRefused
from pipeline.extract.dataverse.checkpoint import AbandonedError, TablePart, TableWork
from pipeline.extract.dataverse.columns import Columns
from pipeline.extract.dataverse.page import PageReader
from pipeline.extract.dataverse.page_fast import open_engine
from pipeline.extract.dataverse.part_reader import DisorderedError, PartReader, StaleError
from pipeline.flow.threads import WorkerThreads, wait_for_first
from pipeline.run.private import make_folder
from pipeline.wire.dataverse import Sales
from pipeline.wire.pace import Halted
from sql.session import Session

_THREADS: Final = 50
"""The server refuses more than 52 requests at once (reference A.8)."""


@dataclass(kw_only=True, slots=True)
class TableJob:
    """One table to be read."""

    columns: Columns
    work: TableWork
    reader: PageReader = field(init=False)

    def begin(self, engine: Session) -> None:
        """Make the folder, and the reader that serves all parts."""
        make_folder(self.work.folder)
        columns = self.columns
        self.reader = PageReader(columns.wire_names, columns.amounts, engine, columns.deciding)


class WorkerPool:
    """Reads all parts of all jobs. The first failure stops everybody."""

    def __init__(self, sales: Sales, page_rows: int, progress: Callable[[str, int], None]) -> None:
        self._sales = sales
        self._page_rows = page_rows
        self._progress = progress
        self._decoding = threading.Semaphore(os.cpu_count() or 2)
        self._lock = threading.Lock()
        self._pool = WorkerThreads(_THREADS, thread_name_prefix="sales")
        self._running: set[Future[None]] = set()
        self._is_stopping = False

    def read(self, jobs: Mapping[str, TableJob]) -> None:
        """Read every part that is not done.

        Raises:
            SystemStopped: the first failure; what is on disk stays good.
        """
        self._sales.system.pace.resume()
        with open_engine() as engine, self._pool:
            try:
                for job in jobs.values():
                    job.begin(engine)
                    for part in list(job.work.parts):
                        if not part.is_done:
                            self.take(job, part)
                self._drain()
            except BaseException:
                self._stop()
                raise

    def _drain(self) -> None:
        failures: list[BaseException] = []
        while running := self._list_running():
            done, _ = wait_for_first(running)
            with self._lock:
                self._running -= done
            failures += [error for one in done if (error := one.exception()) is not None]
            if failures:
                self._stop()
        causes = [error for error in failures if not isinstance(error, Halted)] or failures
        if causes:
            raise causes[0]

    def _list_running(self) -> set[Future[None]]:
        with self._lock:
            return set(self._running)

    def _stop(self) -> None:
        """Nobody begins anything any more, and nobody waits."""
        with self._lock:
            self._is_stopping = True
        self._sales.system.pace.halt()

    def _read_part(self, job: TableJob, part: TablePart) -> None:
        reader = PartReader(
            sales=self._sales,
            columns=job.columns,
            work=job.work,
            part=part,
            reader=job.reader,
            page_rows=self._page_rows,
            decoding=self._decoding,
        )
        try:
            reader.run(
                _Workers(pool=self, job=job),
                lambda _rows: self._progress(job.columns.table.name, job.work.slots),
            )
        except AbandonedError:
            return
        except DisorderedError:
            self._read_again(job, part, can_range=False)
        except StaleError:
            self._read_again(job, part, can_range=job.work.can_range)
        except RequestRefused as refused:
            if not job.work.tracked or part.pages or refused.status != _BAD_REQUEST:
                raise
            job.work.tracked = False
            self._read_again(job, part, can_range=True)

    def _read_again(self, job: TableJob, part: TablePart, *, can_range: bool) -> None:
        """Read the table again from the start, unless another of its parts has begun to."""
        with job.work.lock:
            if not any(one is part for one in job.work.parts):
                return
            job.work.can_range = can_range
            job.work.begin()
            self.take(job, job.work.parts[0])

    def is_idle(self) -> bool:
        """Whether the server would bear more than is under way."""
        with self._lock:
            busy = sum(not one.done() for one in self._running)
        return busy < min(self._sales.system.pace.limit, _THREADS)

    def take(self, job: TableJob, part: TablePart) -> None:
        """Read this part as well."""
        with self._lock:
            if not self._is_stopping:
                self._running.add(self._pool.submit(self._read_part, job, part))


_BAD_REQUEST: Final = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class _Workers:
    """The pool, as the reader through a part of one table sees it."""

    pool: WorkerPool
    job: TableJob

    def are_idle(self) -> bool:
        return self.pool.is_idle()

    def take(self, child: TablePart) -> None:
        self.pool.take(self.job, child)
