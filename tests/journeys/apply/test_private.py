"""What p2c writes is for the person who runs it, whatever the umask allows others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from pipeline.extract.dataverse.checkpoint import begin_folder
from pipeline.run.files import locked, replace_file, replacing, write_json, write_table
from pipeline.run.folder import EXTRACTING
from pipeline.run.private import close_to_others, make_folder
from tests.journeys.apply.conftest import Begin, newest
from tests.journeys.apply.test_undo import FILES
from tests.scenes.command_line import P2c
from tests.scenes.small import CONTACTS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows inherits the folder's rights")
EVERY_BIT = 0o077


@pytest.fixture(autouse=True)
def _wide_umask() -> Iterator[None]:
    """Everything may be read by everybody unless p2c says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> dict[str, str]:
    """Everything in a folder that others may look at, with its mode; the folder included."""
    return {
        path.relative_to(folder.parent).as_posix(): oct(path.stat().st_mode & 0o777)
        for path in (folder, *sorted(folder.rglob("*")))
        if not path.is_symlink() and path.stat().st_mode & EVERY_BIT
    }


@pytest.mark.parametrize("load", ["folder", "packages", "odata"])
def test_no_file_of_loads_retries_and_undos_is_open_to_others(
    begin: Begin, p2c: P2c, load: str
) -> None:
    world = begin()
    project = world.project(load, source=FILES)
    assert p2c("run", "--project", project).code == 1
    run = newest(Path("runs")).run
    for words in (
        ("report", run, "--with-values"),
        ("findings", run, "--to", "found.csv", "--with-values"),
        ("findings", run, "--worklist", "work.csv", "--sales-url", "https://a.crm4.dynamics.com"),
        ("findings", run, "--repair", "repair.csv"),
    ):
        assert p2c(*words).code == 0, words
    p2c("reconcile", run)
    assert p2c("retry", run, "--project", project).code < 2
    assert p2c("retry", run, "--corrected", "repair.csv", "--project", project).code < 2
    if load == "odata":
        assert p2c("undo", run).code == 0
        assert p2c("apply", "latest", "--yes").code == 0
    assert open_to_others(Path("runs")) == {}
    assert not any(
        Path(name).stat().st_mode & EVERY_BIT for name in ("found.csv", "work.csv", "repair.csv")
    )


def test_no_file_of_a_live_extraction_and_its_changes_is_open_to_others(
    begin: Begin, p2c: P2c
) -> None:
    world = begin()
    project = world.project("packages")
    for words in ((), ("--changes",)):
        assert p2c("plan", "--project", project, *words).code == 1
        assert open_to_others(Path("runs")) == {}
    assert p2c("run", "--backfill", "--yes", "--project", project).code < 2
    assert open_to_others(Path("runs")) == {}


def test_the_folder_of_an_extraction_is_closed_to_others(tmp_path: Path) -> None:
    work = tmp_path / EXTRACTING / "sales"
    begin_folder(work, (work / "changes.parquet",))
    assert open_to_others(tmp_path / EXTRACTING) == {}


def _write_table(path: Path) -> None:
    write_table(path, pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize(
    "write", [_write_table, lambda path: write_json(path, {}), lambda path: replace_file(path, b"")]
)
def test_a_file_takes_the_place_of_an_open_one_and_is_closed(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "new" / "file"
    make_folder(path.parent)
    path.touch(mode=0o666)
    write(path)
    assert open_to_others(path.parent) == {}


def test_missing_folders_above_are_private_and_those_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir(mode=0o755)
    make_folder(tmp_path / "team" / "runs" / "one")
    assert open_to_others(tmp_path / "team") == {"team": "0o755"}


def test_a_lock_is_closed_to_others(tmp_path: Path) -> None:
    with locked(tmp_path / "held", "somebody is here."):
        assert open_to_others(tmp_path / "held") == {}


def test_what_a_link_leads_to_stays_as_it_is(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    (theirs / CONTACTS).touch(mode=0o644)
    (ours / "below").mkdir(parents=True)
    (ours / "below" / "link").symlink_to(theirs)
    close_to_others(ours)
    assert open_to_others(ours) == {}
    assert (theirs / CONTACTS).stat().st_mode & 0o777 == 0o644


def test_a_file_is_closed_before_anything_is_in_it(tmp_path: Path) -> None:
    with replacing(tmp_path / "file") as partial:
        assert partial.stat().st_mode & 0o777 == 0o600
        partial.write_bytes(b"a")
        assert partial.stat().st_mode & 0o777 == 0o600
