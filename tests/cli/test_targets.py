"""Where a report goes that the user sent elsewhere, and runs that lie elsewhere."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from pipeline.commands.targets import choose_target
from pipeline.errors import Stopped, UsageError, during, is_closed
from tests.scenes.command_line import P2c
from tests.scenes.small import write_small


@pytest.mark.usefixtures("runs")
def test_a_link_stays_and_its_file_is_written(p2c: P2c, tmp_path: Path) -> None:
    target, link = tmp_path / "far.html", tmp_path / "near.html"
    target.touch()
    link.symlink_to(target.name)
    assert p2c("report", "latest", "--to", link).code == 0
    assert link.is_symlink()
    assert target.read_text().startswith("<!doctype html>")


def test_a_link_to_nothing_gets_its_file_and_a_circle_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "near.html"
    link.symlink_to("far.html")
    assert choose_target(link, "--to", "report.html") == tmp_path.resolve() / "far.html"
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to("other")
    other.symlink_to("one")
    with pytest.raises(UsageError, match="cannot be written"):
        choose_target(one, "--to", "report.html")


@pytest.mark.usefixtures("runs")
def test_a_file_is_called_as_the_user_named_it(p2c: P2c) -> None:
    words = ("findings", "latest", "--worklist", "worklist.csv")
    assert "contacts into worklist.csv." in p2c(*words).out


EXPORTS: Final[tuple[tuple[str, ...], ...]] = (
    ("findings", "latest", "--worklist"), ("findings", "latest", "--repair"),
    ("findings", "latest", "--to"), ("report", "latest", "--to"), ("runs", "--html", "--to"),
)  # fmt: skip


@pytest.mark.usefixtures("runs")
def test_a_file_that_p2c_wrote_is_written_again_and_no_other(p2c: P2c, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.csv" for number, _ in enumerate(EXPORTS)]
    own = dict(zip(EXPORTS, names, strict=True))
    for words in EXPORTS * 2:
        assert p2c(*words, own[words]).code == 0
    parquet = ("findings", "latest", "--with-values", "--to", tmp_path / "f.parquet")
    assert [p2c(*parquet).code for _ in range(2)] == [0, 0]
    pl.DataFrame({"contactid": ["1"]}).write_parquet(tmp_path / "contacts.parquet")
    for name in ("contacts.csv", "contacts.xlsx"):
        (tmp_path / name).write_bytes(b'\xef\xbb\xbf"contactid","firstname"\r\n')
    strange = sorted(tmp_path.glob("contacts.*"))
    before = [path.read_bytes() for path in strange]
    commands: list[tuple[str, ...]] = [*EXPORTS, ("memory", "export")]
    for words in commands:
        for path in strange:
            answer = p2c(*words, path.name)
            assert (answer.code, "p2c did not write it" in answer.err) == (2, True), words
            assert path.name in answer.err
    assert [path.read_bytes() for path in strange] == before


def test_nothing_is_written_among_the_exports_of_a_run(p2c: P2c, tmp_path: Path) -> None:
    write_small(tmp_path / "src")
    assert p2c("plan", "--project", "src/p2c.toml").code == 1
    before = sorted(path.name for path in (tmp_path / "src").iterdir())
    for words in EXPORTS[:3]:
        answer = p2c(*words, "src/new.csv")
        assert (answer.code, "lies among the exports" in answer.err) == (2, True), words
        assert p2c(*words, f"lists/{words[0]}{words[-1]}.csv").code == 0
    assert sorted(path.name for path in (tmp_path / "src").iterdir()) == before


def test_a_run_may_be_the_path_of_its_folder(p2c: P2c, runs: Path, tmp_path: Path) -> None:
    (run,) = runs.iterdir()
    there = Path(shutil.copytree(run, tmp_path / "evidence" / run.name))
    assert p2c("verify", f"evidence/{run.name}").code == 0
    shutil.rmtree(runs)
    assert p2c("verify", f"{there}/").code == 0
    assert p2c("explain", "CON-00001-ABCDEF", "--run", there).code == 0
    assert p2c("findings", there).code == 0
    retried = p2c("retry", there, "--source", tmp_path)
    assert not runs.exists(), retried.err


@pytest.mark.parametrize(
    ("number", "closed"), [(errno.EROFS, True), (errno.EACCES, True), (errno.ENOSPC, False)]
)
def test_a_place_that_may_only_be_read_is_told_from_a_full_one(number: int, closed: bool) -> None:
    with pytest.raises(Stopped) as caught, during("writing"):
        raise OSError(number, "no")
    assert is_closed(caught.value) is closed
