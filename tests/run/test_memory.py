"""The memory of a destination is known by its hash: what somebody else has written is refused."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InvariantBroken
from pipeline.run.files import Disk
from pipeline.run.memory import (
    LOADED,
    find_memory,
    forget_memories,
    list_whole_memories,
    replacing_memory,
)
from tests.scenes.loading import Halt


def write(runs: Path, hashed: str, task: str = "Contacts") -> Path:
    """Remember one key with this content."""
    path = find_memory(runs, "scm", task)
    row = {
        "legal_entity": "usmf",
        "destination_key": "usmf/CON-1",
        "row_hash": hashed,
        "run": "r",
        "batch": 1,
    }
    with replacing_memory(path) as partial:
        pl.DataFrame([row], schema=LOADED).write_parquet(partial)
    return path


def alter(path: Path) -> None:
    """Write another table that is a memory, too."""
    pl.read_parquet(path).with_columns(row_hash=pl.lit("else")).write_parquet(path)


def test_a_memory_that_somebody_else_has_written_is_refused(tmp_path: Path) -> None:
    path, other = write(tmp_path, "one"), write(tmp_path, "two", "ContactToCustomer")
    assert list_whole_memories(tmp_path, "scm") == [other, path]
    alter(path)
    words = r"Contacts\.parquet: the memory of loads is not as p2c wrote it\. Restore"
    with pytest.raises(InvariantBroken, match=words):
        list_whole_memories(tmp_path, "scm")
    assert write(tmp_path, "three") == path
    assert list_whole_memories(tmp_path, "scm") == [other, path]


def test_a_copy_under_another_name_is_no_memory(tmp_path: Path) -> None:
    """Services for shared folders make such copies of files that two machines changed."""
    path = write(tmp_path, "one")
    path.with_name("Contacts-DESKTOP1.parquet").write_bytes(path.read_bytes())
    path.with_name("Contacts (1).parquet").write_bytes(b"x")
    assert list_whole_memories(tmp_path, "scm") == [path]


def test_an_older_copy_of_it_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "one")
    copy = path.read_bytes()
    write(tmp_path, "two")
    path.write_bytes(copy)
    with pytest.raises(InvariantBroken, match="not as p2c wrote it"):
        list_whole_memories(tmp_path, "scm")


@pytest.mark.parametrize("placed", [False, True], ids=["before the file", "after it"])
def test_a_stop_while_it_is_replaced_leaves_a_memory_that_is_believed(
    tmp_path: Path, placed: bool
) -> None:
    path = write(tmp_path, "one")
    old, hashes = path.read_bytes(), path.with_name("hashes.json")
    before = json.loads(hashes.read_text())["Contacts"]
    write(tmp_path, "two")
    hashes.write_text(
        json.dumps({"Contacts": [*before, *json.loads(hashes.read_text())["Contacts"]]})
    )
    if not placed:
        path.write_bytes(old)
    assert list_whole_memories(tmp_path, "scm") == [path]


class Dying(Disk):
    """A disk on which the process ends before a file takes its place."""

    def replace(self, partial: Path, path: Path) -> None:
        raise Halt(partial, path)


def test_whoever_ends_before_the_file_takes_its_place_leaves_the_one_before(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "one")
    table = pl.read_parquet(path).with_columns(row_hash=pl.lit("two"))
    with pytest.raises(Halt), replacing_memory(path, Dying()) as partial:
        table.write_parquet(partial)
    assert list_whole_memories(tmp_path, "scm") == [path]
    table.write_parquet(path)
    assert list_whole_memories(tmp_path, "scm") == [path]


def test_one_that_fails_to_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = write(tmp_path, "one")
    with pytest.raises(ZeroDivisionError), replacing_memory(path):
        raise ZeroDivisionError
    assert list_whole_memories(tmp_path, "scm") == [path]


def test_one_without_a_hash_is_believed(tmp_path: Path) -> None:
    """An earlier version of p2c wrote it."""
    path = write(tmp_path, "one")
    path.with_name("hashes.json").unlink()
    alter(path)
    assert list_whole_memories(tmp_path, "scm") == [path]


@pytest.mark.parametrize("text", ["{", "[]", '{"Contacts": "x"}'])
def test_hashes_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "one")
    path.with_name("hashes.json").write_text(text)
    with pytest.raises(InvariantBroken, match=r"hashes\.json: was altered"):
        list_whole_memories(tmp_path, "scm")


def test_a_memory_that_is_forgotten_is_built_anew(tmp_path: Path) -> None:
    path = write(tmp_path, "one")
    forget_memories(tmp_path, "scm")
    assert list_whole_memories(tmp_path, "scm") == []
    alter(write(tmp_path, "two"))
    with pytest.raises(InvariantBroken, match="not as p2c wrote it"):
        list_whole_memories(tmp_path, "scm")
    assert path.is_file()
