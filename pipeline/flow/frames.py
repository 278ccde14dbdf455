"""Rows on their way from a query into Polars, morsel by morsel."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

import polars as pl
import pyarrow as pa

from pipeline.flow.threads import TICK, get_result

Given = TypeVar("Given")
Made = TypeVar("Made")


def read_frames(reader: pa.RecordBatchReader) -> Iterator[pl.DataFrame]:
    """The batches of a reader, after an empty one that has the columns."""
    yield _to_frame(reader.schema.empty_table())
    for batch in reader:
        yield _to_frame(pa.Table.from_batches([batch]))


def _to_frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(type(frame))
    return frame


def map_in_order(
    work: Callable[[Given], Made], items: Iterable[Given], pool: Executor, width: int
) -> Iterator[Made]:
    """What ``work`` makes of each item, in the items' order.

    Up to ``width`` are worked on at once.
    """
    pending: deque[Future[Made]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            del item  # It is large, and its worker lets it go.
            if len(pending) >= width:
                yield get_result(pending.popleft())
        while pending:
            yield get_result(pending.popleft())
    finally:
        for one in pending:
            one.cancel()


def read_ahead(morsels: Iterator[pl.DataFrame]) -> Generator[pl.DataFrame]:
    """The same morsels; the next one is read while the last one is worked on.

    It must be closed before the session is.
    """
    ready: queue.Queue[pl.DataFrame | BaseException | None] = queue.Queue(maxsize=1)
    leave = threading.Event()

    def read() -> None:
        try:
            for morsel in morsels:
                while not leave.is_set():
                    with contextlib.suppress(queue.Full):
                        ready.put(morsel, timeout=0.1)
                        break
                if leave.is_set():
                    return
            last: BaseException | None = None
        except BaseException as error:  # noqa: BLE001
            last = error
        while not leave.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(last, timeout=0.1)
                return

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        while True:
            item = _take(ready)
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        leave.set()
        thread.join()


def _take(ready: queue.Queue[Given]) -> Given:
    """The next item of a queue; signals are heard meanwhile."""
    while True:
        with contextlib.suppress(queue.Empty):
            return ready.get(timeout=TICK)
