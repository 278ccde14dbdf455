"""The README tells of every command, every exit code and every setting there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from pipeline.cli.app import command_line
from pipeline.errors import P2cError
from pipeline.project.settings import SECTIONS

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(typer.main.get_group(command_line()).commands))
def test_every_command_is_documented(name: str) -> None:
    assert f"`p2c {name}" in README


def _codes(kind: type[P2cError]) -> set[int]:
    return {kind.exit_code, *(code for below in kind.__subclasses__() for code in _codes(below))}


@pytest.mark.parametrize("code", sorted({0, 1, *_codes(P2cError)}))
def test_every_exit_code_is_documented(code: int) -> None:
    assert f"\n| {code} | " in README


@pytest.mark.parametrize(
    "setting",
    [f"{section}.{name}" for section, kind in SECTIONS.items() for name in kind.model_fields],
)
def test_every_setting_is_documented(setting: str) -> None:
    section, name = setting.split(".")
    assert re.search(rf"\| .*`({section})?\.{name}`", README)
