"""Sandboxes with sample contacts in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.samples.generate import temporary_samples
from pipeline.sandbox.serve import Options, Ready, running


@contextmanager
def running_samples(rows: int, *, tls: bool = False, faults: str = "") -> Iterator[Ready]:
    """A sandbox with so many sample contacts, in this process, to the end of the block."""
    with (
        temporary_samples(rows=rows) as data,
        running(Options(tls=tls, data=data, faults=faults)) as ready,
    ):
        yield ready
