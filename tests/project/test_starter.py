"""The file that ``init`` writes: it parses, plans, and explains every setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.project.fields import DescribedSetting, describe, to_toml
from pipeline.project.resolve import Project, load_project
from pipeline.project.settings import SECTIONS
from pipeline.project.starter import render_starter

NOTHING = {"legal_entity": None, "currency": None, "country": None}
SETTINGS = [(name, one) for name, model in SECTIONS.items() for one in describe(model)]


def load(folder: Path, text: str) -> Project:
    path = folder / "p2c.toml"
    path.write_text(text, encoding="utf-8")
    return load_project(path)


def words(text: str) -> str:
    """What the comments say, as one line."""
    return " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))


@pytest.mark.parametrize(
    "answers",
    [NOTHING, {"legal_entity": "usmf", "currency": "EUR", "country": "Deutschland"}],
)
def test_what_a_new_project_needs_is_in_force(
    tmp_path: Path, answers: dict[str, str | None]
) -> None:
    text = render_starter(answers, path='über "all"')
    settings = load(tmp_path, text).settings
    assert settings.source.path == 'über "all"'
    assert settings.destination.legal_entity == answers["legal_entity"]
    in_force = {line.partition(" = ")[0] for line in text.splitlines() if " = " in line} - {
        line.partition(" = ")[0] for line in text.splitlines() if line.startswith("#")
    }
    assert in_force == {"kind", "path", "load", *(key for key, value in answers.items() if value)}


@pytest.mark.parametrize(("section", "setting"), SETTINGS)
def test_every_setting_is_there_with_its_default_and_what_it_does(
    section: str, setting: DescribedSetting
) -> None:
    text = render_starter(NOTHING, path="export")
    below = text.partition(f"\n[{section}]\n")[2].partition("\n[")[0]
    line = next(line for line in below.splitlines() if re.match(f"#?{setting.name} = ", line))
    if setting.name != "path":
        shown = setting.example if setting.default is None else setting.default
        assert line.lstrip("#").startswith(f"{setting.name} = {to_toml(shown)}")
        assert line.endswith("# an example") is (setting.default is None)
    assert setting.text in words(below)


def test_it_parses_with_every_line_in_force(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^#(?=[^\s:])", "", render_starter(NOTHING, path="export"))
    live = text.replace('kind = "files"', 'kind = "dataverse"')
    project = load(tmp_path, re.sub(r"(?m)^(path|known_customers) = .*$", "", live))
    assert project.sales is not None
    assert project.scm is not None
    assert (project.sales.auth.kind, project.scm.auth.kind) == ("client_secret", "client_secret")
    assert project.templates["ContactToCustomer"].row("SiteId") is not None
    assert project.settings.source.filter == "statecode = 0"
    assert project.settings.organizations == {"Contoso Germany": "demf"}
    assert project.settings.countries == {"Tyskland (Vest)": "DE"}


def test_no_line_is_wider_than_100_columns() -> None:
    assert max(map(len, render_starter(NOTHING, path="export").splitlines())) <= 100
