"""The harness itself: it hears every effect, and loses what a power cut would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.effects import Disk
from tests.torture.state import list_differences


def test_a_power_cut_takes_a_name_back_that_no_folder_kept(tmp_path: Path) -> None:
    disk = Disk(spare=tmp_path / "spare")
    old, new = tmp_path / "file", tmp_path / ".file.partial"
    old.write_text("old")
    new.write_text("new")
    disk.note_rename(str(new), str(old))
    new.replace(old)
    disk.lose(None)
    assert (old.read_text(), new.read_text()) == ("old", "new")


def test_a_power_cut_leaves_a_name_that_its_folder_kept(tmp_path: Path) -> None:
    disk = Disk(spare=tmp_path / "spare")
    old, new = tmp_path / "file", tmp_path / ".file.partial"
    new.write_text("new")
    disk.dirty.add(str(new))
    disk.note_flush(str(new))
    disk.note_rename(str(new), str(old))
    new.replace(old)
    disk.note_flush(str(tmp_path))
    disk.lose(None)
    assert old.read_text() == "new"


def test_a_power_cut_empties_what_was_not_flushed(tmp_path: Path) -> None:
    disk = Disk(spare=tmp_path / "spare")
    path, final = tmp_path / "a", tmp_path / "b"
    path.write_text("new")
    disk.dirty.add(str(path))
    disk.note_rename(str(path), str(final))
    path.replace(final)
    disk.note_flush(str(tmp_path))
    disk.lose(None)
    assert final.read_text() == ""


def test_a_power_cut_tears_the_line_that_was_being_flushed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("first\n")
    disk = Disk(spare=tmp_path / "spare")
    disk.note_flush(str(path))
    path.write_text("first\nsecond\n")
    disk.lose(str(path))
    assert path.read_text() == "first\nsec"


def test_a_power_cut_takes_no_line_of_a_journal_that_was_flushed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("first\nsecond\n")
    disk = Disk(spare=tmp_path / "spare")
    disk.note_open(str(path))
    disk.lose(str(path))
    assert path.read_text() == "first\nsecond\n"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"a": [1]}, []),
        ({}, ["a is missing"]),
        ({"a": [1], "b": 2}, ["b is left over"]),
        ({"a": [1, 2]}, ["a differs: 2 rows for 1: +2"]),
    ],
)
def test_what_differs_is_named(found: dict[str, object], said: list[str]) -> None:
    assert list_differences(found, {"a": [1]}) == said
