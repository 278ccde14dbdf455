"""By what a file is known without reading it."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.extract.files.stamps import take_stamp
from tests.scenes.stores import as_path, hold_in_memory


def test_a_file_that_changes_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("one")
    first = take_stamp(path)
    assert first is not None
    assert first == take_stamp(path)
    os.utime(path, ns=(0, 0))
    later = take_stamp(path)
    assert later != first
    path.write_text("more")
    os.utime(path, ns=(0, 0))
    assert take_stamp(path) != later


def test_a_file_that_another_takes_the_place_of_has_another_stamp(tmp_path: Path) -> None:
    path, other = tmp_path / "contacts.csv", tmp_path / "other.csv"
    for one in (path, other):
        one.write_text("one")
        os.utime(one, ns=(0, 0))
    first = take_stamp(path)
    other.replace(path)
    assert take_stamp(path) != first


def test_a_file_of_a_store_is_known_by_its_etag() -> None:
    folder = hold_in_memory({"contacts.csv": "one"})
    found = take_stamp(as_path(folder / "contacts.csv"))
    assert found is not None
    assert (found.size, found.etag) == (3, '"0"')
    assert take_stamp(as_path(folder / "gone.csv")) is None
