"""The image cannot be built in a test; what it takes from the checkout must be there."""

from __future__ import annotations

import re
import tomllib

from tests.scenes.places import ROOT

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def list_copied() -> set[str]:
    lines = re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE)
    return {name for line in lines for name in line.split()[:-1]}


def test_all_that_is_copied_is_there_and_all_that_is_built_is_copied() -> None:
    copied = list_copied()
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    metadata = {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert copied >= {"pyproject.toml", "constraints.txt", *metadata, *packages}


def test_the_extras_that_are_installed_exist_and_python_is_new_enough() -> None:
    [extras] = re.findall(r'"\.\[(.+)]"', TEXT)
    assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])
    oldest = tuple(map(int, PROJECT["project"]["requires-python"].removeprefix(">=").split(".")))
    versions = re.findall(r"python:(\d+)\.(\d+)", TEXT)
    assert versions
    assert all((int(major), int(minor)) >= oldest for major, minor in versions)
