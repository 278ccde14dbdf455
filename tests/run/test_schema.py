"""The JSON schemas of run.json and summary.json: others read these files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from pipeline.run.folder import RunFolder
from pipeline.run.schema import MODELS, print_schema, render_record_schema
from tests.scenes.json_files import read_json
from tests.scenes.places import ROOT

NAMES = sorted(MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_changes_on_purpose_only(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.schema.json", render_record_schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_just_the_fields_of_its_schema(name: str, run: RunFolder) -> None:
    schema = json.loads(render_record_schema(name))
    written = read_json(run.path / f"{name}.json")
    assert list(written) == list(schema["properties"]) == schema["required"]


def test_a_command_prints_it() -> None:
    command = [sys.executable, "-m", "pipeline.run.schema", "run"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == render_record_schema("run")


def test_other_files_have_no_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_schema(["journal"]) == 2
    assert "run or summary" in capsys.readouterr().err
