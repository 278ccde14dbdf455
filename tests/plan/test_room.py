"""What a large plan needs is known before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import Stopped
from pipeline.extract.landing import LandedTable
from pipeline.plan.room import LARGE, Room, measure_room, refuse_lack
from pipeline.project.settings import RunSettings

GB = 10**9


def make_contacts(path: Path, rows: int) -> dict[str, LandedTable]:
    path.write_bytes(b"x" * 1000)
    table = LandedTable(
        table="contacts", in_place=True, files=(path,), columns={}, sources=(), rows=rows
    )
    return {"contacts": table}


def test_a_plan_of_many_contacts_says_what_it_needs_and_what_is_there(tmp_path: Path) -> None:
    landed = make_contacts(tmp_path / "contacts.parquet", 10 * LARGE)
    room = measure_room(landed, RunSettings(memory="2GB"), tmp_path / "not" / "there" / "yet")
    assert room is not None
    assert (room.disk_needed, room.memory_needed) == (1_500_000_600, 2 * GB)
    assert room.disk_there > 0
    assert room.sentence.startswith("a plan needs about 1.5 GB of disk (")


def test_small_plans_are_not_measured(tmp_path: Path) -> None:
    landed = make_contacts(tmp_path / "contacts.parquet", LARGE - 1)
    assert measure_room(landed, RunSettings(), tmp_path) is None
    refuse_lack(None)


@pytest.mark.parametrize(
    ("disk", "memory", "said"),
    [
        (1, 9, r"^The plan needs about 2\.0 GB on the disk of the folder of runs, and 1\.0 GB are"),
        (9, 1, r"^The plan needs about 3\.0 GB of memory, and 1\.0 GB are free\. Close"),
        (1, 1, r"--runs\. The plan needs about 3\.0 GB of memory"),
    ],
)
def test_a_plan_that_cannot_fit_is_stopped_with_the_cure(disk: int, memory: int, said: str) -> None:
    room = Room(
        disk_needed=2 * GB, disk_there=disk * GB, memory_needed=3 * GB, memory_there=memory * GB
    )
    with pytest.raises(Stopped, match=said):
        refuse_lack(room)


@pytest.mark.parametrize("memory", [None, 1])
def test_what_fits_or_cannot_be_told_is_let_through(memory: int | None) -> None:
    room = Room(disk_needed=1, disk_there=1, memory_needed=1, memory_there=memory)
    refuse_lack(room)
    assert not room.lacks


@pytest.mark.parametrize(
    ("memory", "morsel_rows", "contacts", "joins"),
    [
        ("1500MB", 32_768, 0, "938MB"),
        ("1500MB", 32_768, 50_000_000, "638MB"),
        ("1500MB", 32_768, 500_000_000, "563MB"),
        ("400MB", 32_768, 0, "200MB"),
        ("16MB", 10, 1_000_000, "16MB"),
    ],
)
def test_joins_have_what_the_rest_leaves_and_at_least_a_quarter(
    memory: str, morsel_rows: int, contacts: int, joins: str
) -> None:
    run = RunSettings(memory=memory, morsel_rows=morsel_rows)
    assert run.count_joins_memory(contacts) == joins
