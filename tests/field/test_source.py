"""What people really hand over: inputs rebuilt from public reports, each with what is right.

``source/*/case.toml`` says of each what kind of trouble it is, who reported it and what must hold.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from tests.field.case import compare_plan, compare_said, lay_out, read_plan
from tests.scenes.command_line import P2c, p2c

__all__ = ["p2c"]

FOLDER: Final = Path(__file__).parent / "source"
CASES: Final = sorted(path.parent.name for path in FOLDER.glob("*/case.toml"))
SETTINGS: Final = (
    "destination.legal_entity=usmf",
    "destination.currency=EUR",
    "destination.country=DE",
)


def test_the_cases_are_there() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize("name", CASES)
def test_an_input_from_the_field_is_read_right_or_refused_with_the_cause(
    name: str, p2c: P2c, tmp_path: Path
) -> None:
    told = tomllib.loads((FOLDER / name / "case.toml").read_text(encoding="utf-8"))
    right = told["right"]
    words = lay_out(FOLDER / name, told, tmp_path)
    sets = [part for one in (*SETTINGS, *told.get("settings", [])) for part in ("--set", one)]
    answer = p2c("plan", "--json", *words, *sets)
    error = json.loads(answer.out).get("error", {}) if answer.out.strip() else {}
    said = "\n".join([answer.err, answer.out, f"{error.get('where')}: {error.get('message')}"])
    runs = Path(words[words.index("--runs") + 1])
    folders = sorted(path.parent for path in runs.glob("*/summary.json"))
    found = []
    if answer.code in {0, 1}:
        (folder,) = folders
        messages = pl.read_parquet(folder / "findings.parquet")["message"].to_list()
        said = "\n".join([said, *messages])
        if "message" in right or "not_message" in right:
            advised = p2c("findings", folder.name, "--runs", runs)
            said = f"{said}\n{advised.out}\n{advised.err}"
        found = list(compare_plan(right, read_plan(folder)))
    assert [*compare_said(right, answer.code, said), *found] == []
