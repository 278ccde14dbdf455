"""Joins keep no order; source order comes back, whatever the engine does."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.errors import InvariantBroken
from pipeline.events import report_nothing
from pipeline.flow.ordered import restore_order
from pipeline.plan.request import PlanRequest
from pipeline.samples.generate import write_samples


@given(
    count=st.integers(0, 60),
    rows=st.integers(1, 20),
    pieces=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_any_order_in_any_batches_becomes_source_order_in_frames_of_one_size(
    count: int, rows: int, pieces: int, seed: int
) -> None:
    numbers = pl.Series(range(count), dtype=pl.Int64).shuffle(seed)
    batches = [
        pl.DataFrame({"source_row": numbers.gather_every(pieces, place)}) for place in range(pieces)
    ]
    frames = [frame["source_row"].to_list() for frame in restore_order(batches, rows)]
    assert [number for frame in frames for number in frame] == list(range(count))
    assert all(len(frame) == rows for frame in frames[:-1])


@pytest.mark.parametrize("numbers", [[0, 1, 3], [0, 1, 1], [1, 2]], ids=["lost", "doubled", "late"])
def test_a_lost_or_doubled_row_breaks_the_run(numbers: list[int]) -> None:
    with pytest.raises(InvariantBroken, match="joins lost or doubled rows"):
        list(restore_order([pl.DataFrame({"source_row": numbers})], 2))


def test_row_groups_and_parts_change_nothing_but_file_and_line(tmp_path: Path) -> None:
    write_samples(tmp_path / "whole", form="parquet")
    write_samples(tmp_path / "parts", form="parquet")
    contacts = pl.read_parquet(tmp_path / "parts" / "contacts.parquet")
    (tmp_path / "parts" / "contacts.parquet").unlink()
    (tmp_path / "parts" / "contacts").mkdir()
    for name, part in (("1", contacts[:400]), ("2", contacts[400:])):
        part.write_parquet(tmp_path / "parts" / "contacts" / f"{name}.parquet", row_group_size=16)
    tables = []
    for name in ("whole", "parts"):
        common = Flags(project=tmp_path / name / "p2c.toml", runs=tmp_path / f"runs-{name}")
        folder = Path(
            str(plan_and_apply(common, PlanRequest(command="run"), report_nothing).folder)
        )
        decisions = pl.read_parquet(folder / "decisions.parquet")
        rows = pl.read_parquet(folder / "rows" / "Contacts")
        tables.append((decisions.drop("source_file", "source_line"), rows))
        last = decisions.row(-1, named=True)
        assert (last["source_file"], last["source_line"]) == (
            ("contacts.parquet", 1000) if name == "whole" else ("contacts/2.parquet", 600)
        )
    assert tables[0][0].equals(tables[1][0])
    assert tables[0][1].equals(tables[1][1])
