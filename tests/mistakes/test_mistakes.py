"""What people get wrong, as data: each message says what is wrong, where, and what to do now.

A row has the ``words`` of the command line, and what is changed before: ``project`` replaces
``p2c.toml``, ``set`` are settings, ``files`` are written (a blank one is removed), ``variables``
are set (a blank one is unset). ``exit`` is the exit code. ``what``, ``where`` and ``now`` are parts
of what the person then reads; ``never`` must not be in it. ``$run`` stands for the one made run,
``$scm`` and ``$sales`` for the systems of the sandbox; rows with ``live`` work on these. With
``applied`` the run is applied before.
"""

from __future__ import annotations

import shutil
import string
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.journeys.plan.conftest import World
from tests.scenes.command_line import Answer, P2c

HERE: Final = Path(__file__).parent
ROWS: Final = [
    row | {"file": path.stem}
    for path in sorted(HERE.glob("*.toml"))
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["mistake"]
]
OFFLINE: Final = [row for row in ROWS if "live" not in row]
PARTS: Final = ("what", "where", "now")
LIVE: Final = [row for row in ROWS if "live" in row]


def name(row: Mapping[str, Any]) -> str:
    return f"{row['file']}: {row['name']}"


@pytest.fixture
def here(source: Path, plan_once: Path, tmp_path: Path) -> Path:
    """A folder with a project, its exports and a folder of runs with one run."""
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    shutil.copytree(plan_once, tmp_path / "runs")
    return tmp_path


def make(
    row: Mapping[str, Any], folder: Path, names: Mapping[str, str], patch: pytest.MonkeyPatch
) -> list[str]:
    """Change what the row changes; the words of the command."""
    if "project" in row:
        text = string.Template(row["project"]).safe_substitute(names)
        (folder / "p2c.toml").write_text(text, encoding="utf-8")
    for file, text in row.get("files", {}).items():
        path = folder / string.Template(file).safe_substitute(names)
        if text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode(row.get("encoding", "utf-8")))
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for variable, value in row.get("variables", {}).items():
        patch.setenv(variable, value) if value else patch.delenv(variable, raising=False)
    words = [*row["words"]]
    for one in row.get("set", ()):
        words += ["--set", one]
    return [string.Template(word).safe_substitute(names) for word in words]


def judge(row: Mapping[str, Any], answer: Answer, names: Mapping[str, str]) -> None:
    """Whether the person learns what, where and what now."""
    said = answer.out + answer.err
    assert answer.code == row["exit"], said
    parts = {part: string.Template(row[part]).safe_substitute(names) for part in PARTS}
    lacking = [part for part, text in parts.items() if text not in said]
    assert not lacking, f"{lacking}: {said}"
    assert not any(part in said for part in row.get("never", ())), said
    assert "defect" not in said


@pytest.mark.parametrize("row", OFFLINE, ids=name)
def test_a_mistake_is_said_with_its_place_and_its_cure(
    row: dict[str, Any], p2c: P2c, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = next(one.name for one in (here / "runs").iterdir())
    names = {"run": run}
    if "applied" in row:
        assert p2c("apply", run).code < 2
    words = make(row, here, names, monkeypatch)
    judge(row, p2c(*words), names)


@pytest.mark.parametrize("row", LIVE, ids=name)
def test_a_mistake_with_live_systems_is_configuration_or_the_world(
    row: dict[str, Any], p2c: P2c, logged: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = logged.ready
    names = {"sales": ready.sales_url, "scm": ready.scm_url, "secret": ready.secret_env}
    if "secret" in row.get("variables", {}):
        monkeypatch.setenv(ready.secret_env, "completely-wrong")
    words = make(row, tmp_path, names, monkeypatch)
    judge(row, p2c(*words, "--project", logged.project), names)
    assert not Path("runs").is_dir() or not [*Path("runs").glob("2*")]
