"""Sandboxes with sample contacts in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.samples.generate import write_temporary_samples
from pipeline.sandbox.serve import Ready, SandboxOptions, run_sandbox


@contextmanager
def running_samples(rows: int, *, tls: bool = False, faults: str = "") -> Iterator[Ready]:
    """A sandbox with so many sample contacts, in this process, to the end of the block."""
    with (
        write_temporary_samples(rows=rows) as data,
        run_sandbox(SandboxOptions(tls=tls, data=data, faults=faults)) as ready,
    ):
        yield ready
