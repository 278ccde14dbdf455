"""The memory of destinations as one file: written, taken elsewhere, refused where it knows less."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InvariantBroken, P2cError, SourceError, UsageError
from pipeline.load import remember as remembering
from pipeline.load.carrying import export_memory, import_memory
from pipeline.run.memory import find_memory, replacing_memory
from tests.scenes.command_line import P2c, p2c
from tests.scenes.loads import MakeScene
from tests.scenes.memories import remember

__all__ = ["p2c"]

NOW = datetime(2999, 1, 1, tzinfo=UTC)
OLD, NEW = "20260101T000000Z-0000", "20260201T000000Z-0000"
TASK = "ContactToCustomer"


def keep(runs: Path, *keys: str, run: str = OLD, name: str = "scm", task: str = TASK) -> None:
    remember(find_memory(runs, name, task), [f"usmf/{key}" for key in keys], run)


def known(runs: Path, name: str = "scm", task: str = TASK) -> dict[str, str]:
    """Key → the run that loaded it."""
    path = find_memory(runs, name, task)
    if not path.is_file():
        return {}
    frame = pl.read_parquet(path)
    return {
        key.partition("/")[2]: run
        for key, run in frame.select("destination_key", "run").iter_rows()
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The memory of two destinations, one with two tasks, as a file."""
    there = tmp_path / "there"
    keep(there, "a", "b", run=NEW)
    keep(there, "p", task="Contacts")
    keep(there, "z", name="other-scm")
    export_memory(there, tmp_path / "memory.zip", NOW)
    return tmp_path / "memory.zip"


def test_what_a_killed_import_left_is_removed(file: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    left = here / "loaded" / ".import-abc"
    left.mkdir(parents=True)
    (left / "0.parquet").write_bytes(b"half a table")
    assert take(here, file) == 3
    assert not list((here / "loaded").glob(".import-*"))


@pytest.mark.parametrize("is_cut", [True, False])
def test_a_memory_that_cannot_be_read_is_said_to_be_altered(
    file: Path, tmp_path: Path, *, is_cut: bool
) -> None:
    here = tmp_path / "here"
    keep(here, *(f"key-{number}" for number in range(500)))
    path = find_memory(here, "scm", TASK)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] if is_cut else content[:8] + bytes(half - 8) + content[half:])
    for work in (lambda: take(here, file), lambda: export_memory(here, tmp_path / "m.zip", NOW)):
        with pytest.raises(InvariantBroken, match=r"scm/ContactToCustomer\.parquet: the memory of"):
            work()
    assert take(here, file, replace=True) == 3
    assert known(here) == {"a": NEW, "b": NEW}


def take(runs: Path, file: Path, *, replace: bool = False) -> int:
    return len(import_memory(runs, file, NOW, replace=replace))


@pytest.mark.parametrize(
    "before", [(), ("a",), ("a", "b")], ids=["nothing", "one key", "the same keys"]
)
def test_a_file_is_taken_where_less_is_known(
    file: Path, tmp_path: Path, before: tuple[str, ...]
) -> None:
    here = tmp_path / "here"
    if before:
        keep(here, *before)
    assert take(here, file) == 3
    assert known(here) == {"a": NEW, "b": NEW}
    assert known(here, task="Contacts") == {"p": OLD}
    assert known(here, name="other-scm") == {"z": OLD}
    assert take(here, file) == 3


@pytest.mark.parametrize(
    ("keys", "run"), [(("a", "c"), OLD), (("b",), "20260301T000000Z-0000")], ids=["more", "newer"]
)
def test_newer_knowledge_is_kept_unless_it_may_be_replaced(
    file: Path, tmp_path: Path, keys: tuple[str, ...], run: str
) -> None:
    here = tmp_path / "here"
    keep(here, *keys, run=run)
    with pytest.raises(UsageError, match=f"here has 1 key of {TASK} that the file lacks") as caught:
        take(here, file)
    assert "--replace" in str(caught.value)
    assert known(here) == dict.fromkeys(keys, run)
    assert known(here, name="other-scm") == {}
    take(here, file, replace=True)
    assert known(here) == {"a": NEW, "b": NEW}


def rewrite(change: Callable[[dict[str, bytes]], object]) -> Callable[[Path], None]:
    """Change the members of an archive."""

    def damage(file: Path) -> None:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return damage


def say(**changes: object) -> Callable[[Path], None]:
    """Change what the manifest says of the first table."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["tables"][0] |= changes
        members["manifest.json"] = json.dumps(manifest).encode()

    return rewrite(change)


FIRST = "other-scm/ContactToCustomer.parquet"
DAMAGE: dict[str, Callable[[Path], object]] = {
    "no zip": lambda file: file.write_text("contactid\n"),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-40]),
    "no manifest": rewrite(lambda members: members.pop("manifest.json")),
    "another manifest": rewrite(lambda members: members.update({"manifest.json": b"[]"})),
    "a table is missing": rewrite(lambda members: members.pop(FIRST)),
    "a table is altered": rewrite(lambda members: members.update({FIRST: b"PAR1"})),
    "another hash": say(sha256="0" * 64),
    "a path upwards": say(destination="../.."),
    "a hidden name": say(destination=".lock"),
    "another task": say(task="../x"),
    "twice": say(destination="scm", task="Contacts"),
    "another format": rewrite(
        lambda members: members.update(
            {"manifest.json": members["manifest.json"].replace(b'"format": 1', b'"format": 2')}
        )
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_file_that_is_not_whole_changes_nothing(file: Path, tmp_path: Path, name: str) -> None:
    DAMAGE[name](file)
    here = tmp_path / "here"
    keep(here, "a")
    with pytest.raises(SourceError, match=r"memory\.zip: ") as caught:
        take(here, file, replace=True)
    assert "p2c memory export" in str(caught.value) or "Export it again" in str(caught.value)
    assert known(here) == {"a": OLD}
    assert sorted(path.name for path in (here / "loaded").iterdir()) == ["scm"]


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(P2cError, match="there is no such file"):
        take(tmp_path / "here", tmp_path / "no.zip")


def test_a_rebuild_begins_with_what_was_imported(scenes: MakeScene, tmp_path: Path) -> None:
    scene = scenes()
    scene.load("odata")
    runs = scene.run.path.parent
    mine = known(runs, name="test")
    there = tmp_path / "there"
    keep(there, *mine, "elsewhere", run="29990101T000000Z-0000", name="test")
    export_memory(there, tmp_path / "test.zip", NOW)
    take(runs, tmp_path / "test.zip")
    expected = dict.fromkeys([*mine, "elsewhere"], "29990101T000000Z-0000")
    assert known(runs, name="test") == expected
    remembering.rebuild_memory(runs, "test")
    assert known(runs, name="test") == expected
    import_memory(runs, tmp_path / "test.zip", datetime(2000, 1, 1, tzinfo=UTC), replace=False)
    remembering.rebuild_memory(runs, "test")
    assert known(runs, name="test") == {**expected, **mine}, "what was loaded later counts"


def test_the_command_says_what_it_did(p2c: P2c, file: Path, tmp_path: Path) -> None:
    answer = p2c("memory", "import", file)
    assert answer.code == 0
    assert "2 keys  scm ContactToCustomer, newest run 20260201T000000Z-0000" in answer.out
    assert p2c("memory", "export", tmp_path / "again.zip").code == 0
    assert p2c("memory", "export", tmp_path / "no.zip", "--runs", tmp_path / "none").code == 2
    assert p2c("memory", "export", tmp_path / "no.zip", "--replace").code == 2
    assert p2c("memory", "exprt", file).code == 2


def test_a_memory_that_somebody_else_has_written_is_not_exported(tmp_path: Path) -> None:
    path = find_memory(tmp_path, "scm", TASK)
    with replacing_memory(path) as partial:
        remember(partial, ["usmf/a"], OLD)
    export_memory(tmp_path, tmp_path / "whole.zip", NOW)
    pl.read_parquet(path).with_columns(row_hash=pl.lit("else")).write_parquet(path)
    with pytest.raises(InvariantBroken, match="not as p2c wrote it"):
        export_memory(tmp_path, tmp_path / "m.zip", NOW)
    assert not (tmp_path / "m.zip").exists()
