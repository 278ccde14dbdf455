"""A plan that is stopped while its writer writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.commands.plan import backfill_contacts
from pipeline.events import Step
from pipeline.plan.request import PlanRequest
from pipeline.run.files import TableWriter
from tests.scenes.small import write_small


@pytest.mark.parametrize(
    ("command", "call"), [("plan", plan_and_apply), ("backfill", backfill_contacts)]
)
def test_no_table_is_closed_while_a_morsel_is_written_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, call: Callable[..., object]
) -> None:
    """Arrow's writer does not allow it: the process would die and leave an unfinished run."""
    begun, busy, closed_busy = threading.Event(), set[Path](), list[Path]()
    write, leave = TableWriter.write, TableWriter.__exit__

    def slow(writer: TableWriter, frame: pl.DataFrame) -> None:
        busy.add(writer.path)
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            time.sleep(0.2)
        write(writer, frame)
        busy.discard(writer.path)

    def left(writer: TableWriter, kind: object, *rest: object) -> None:
        closed_busy.extend(busy)
        leave(writer, kind, *rest)

    def listener(step: object) -> None:
        if isinstance(step, Step) and step.name == "planning":
            assert begun.wait(5)
            raise KeyboardInterrupt

    monkeypatch.setattr(TableWriter, "write", slow)
    monkeypatch.setattr(TableWriter, "__exit__", left)
    common = Flags(project=write_small(tmp_path), runs=tmp_path / "runs")
    with pytest.raises(KeyboardInterrupt):
        call(common, PlanRequest(command=command), listener)
    assert begun.is_set()
    assert closed_busy == []
    assert list((tmp_path / "runs").iterdir()) == []
