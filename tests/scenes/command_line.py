"""The command line as tests use it: words in; exit code, stdout and stderr out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.app import main
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import write_small


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        (line,) = self.out.splitlines()
        loaded = json.loads(line)
        assert isinstance(loaded, dict)
        return loaded


P2c = Callable[..., Answer]


@pytest.fixture
def p2c(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> P2c:
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # Workers of the test run have it.

    def run(*words: str | Path) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err, err
        return Answer(code=code, out=out, err=err)

    return run


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small source, with its project file."""
    return write_small(tmp_path_factory.mktemp("source")).parent


@pytest.fixture(scope="session")
def plan_once(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    plan_contacts(Flags(project=source / "p2c.toml", runs=runs), PlanRequest(), report_nothing)
    return runs


@pytest.fixture
def runs(plan_once: Path, tmp_path: Path) -> Path:
    """A folder of runs that holds one plan of the small source."""
    return Path(shutil.copytree(plan_once, tmp_path / "runs"))
