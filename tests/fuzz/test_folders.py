"""An altered run folder is said to be altered, by every command, and none dies of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest

from tests.fuzz.folders import ALTERED, COMMANDS, ask, make_home, try_altered

SHARE = 24


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Path, str]]]:
    """A run that is planned, and one that was applied."""
    with ExitStack():
        found = []
        for applied in (False, True):
            home = tmp_path_factory.mktemp("home")
            found.append((home, make_home(home, applied=applied)))
        yield found


@pytest.mark.parametrize("seed", range(SHARE))
def test_an_altered_run_is_told_from_a_whole_one(
    homes: list[tuple[Path, str]], tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    home, run = chance.choice(homes)
    assert try_altered(home, run, tmp_path / "work", chance) is None


def test_batches_that_are_cut_out_are_not_left_unsent(
    homes: list[tuple[Path, str]], tmp_path: Path
) -> None:
    run = make_home(tmp_path, applied=False)
    path = tmp_path / "runs" / run / "batches.parquet"
    pl.read_parquet(path).head(1).write_parquet(path)
    assert homes
    for words in (("verify", "RUN"), ("apply", "RUN", "--yes")):
        said = ask(words, tmp_path, run)
        assert "batches.parquet was altered" in said.text
        assert said.code == ALTERED
    assert not (tmp_path / "runs" / run / "packages").exists()


@pytest.mark.parametrize("name", ["journal.jsonl", "summary.json", "run.json", "decisions.parquet"])
def test_a_folder_in_the_place_of_a_file_is_an_altered_run(
    homes: list[tuple[Path, str]], tmp_path: Path, name: str
) -> None:
    home, run = homes[0]
    shutil.copytree(home, tmp_path / "work")
    path = tmp_path / "work" / "runs" / run / name
    path.unlink()
    path.mkdir()
    for words in (("verify", "RUN"), ("apply", "RUN", "--yes"), ("replay", "RUN")):
        said = ask(words, tmp_path / "work", run)
        assert (words[0], said.code) == (words[0], ALTERED), said.text


def test_a_report_is_vouched_for_until_it_is_made_again(tmp_path: Path) -> None:
    run = make_home(tmp_path, applied=True)
    page = tmp_path / "runs" / run / "report.html"
    assert ask(("verify", "RUN"), tmp_path, run).code == 0
    page.write_text(page.read_text(encoding="utf-8").replace("</", "</ ", 1), encoding="utf-8")
    said = ask(("verify", "RUN"), tmp_path, run)
    assert (said.code, "report.html was altered" in said.text) == (ALTERED, True)
    ask(("report", "RUN"), tmp_path, run)
    assert ask(("verify", "RUN"), tmp_path, run).code == 0
    page.unlink()
    assert ask(("verify", "RUN"), tmp_path, run).code == 0


def test_what_was_altered_decides_nothing(tmp_path: Path) -> None:
    run = make_home(tmp_path, applied=True)
    for name in ("outcomes.parquet", "run.json", "summary.json"):
        path = tmp_path / "runs" / run / name
        before = path.read_bytes()
        path.write_bytes(before.replace(b"written", b"failed!").replace(b'"kind"', b'"Kind"'))
        for words in (("apply", "RUN"), ("retry", "RUN"), ("undo", "RUN"), ("confirm", "RUN")):
            said = ask(words, tmp_path, run)
            assert said.code == ALTERED, (words, said.text)
            assert name in said.text
        path.write_bytes(before)
    assert ask(("verify", "RUN"), tmp_path, run).code == 0


def test_a_folder_that_was_renamed_is_not_taken_for_another_run(tmp_path: Path) -> None:
    run = make_home(tmp_path, applied=False)
    other = f"{run[:-4]}0000"
    (tmp_path / "runs" / run).rename(tmp_path / "runs" / other)
    for words in (("verify", "RUN"), ("apply", "RUN"), ("retry", "RUN"), ("undo", "RUN")):
        said = ask(words, tmp_path, other)
        assert (said.code, run in said.text, "renamed" in said.text) == (ALTERED, True, True), words
    (tmp_path / "runs" / other).rename(tmp_path / "runs" / run)
    assert ask(("verify", "RUN"), tmp_path, run).code == 0
    assert ask(("apply", "RUN"), tmp_path, run).code == 1


def test_a_source_beside_the_project_is_found_again_by_every_command(tmp_path: Path) -> None:
    run = make_home(tmp_path, applied=True)
    for words in COMMANDS:
        said = ask(words, tmp_path, run)
        assert "are gone" not in said.text
        assert "is not where the run read it" not in said.text
