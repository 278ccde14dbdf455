"""``init``: a project file that parses, plans and has what was asked for."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pipeline.commands.init import find_answer_problem, initialise
from pipeline.project.resolve import load_project
from pipeline.project.schema import read_schema
from tests.scenes.command_line import P2c
from tests.scenes.places import ROOT
from tests.scenes.small import contactid


def test_what_init_writes_can_be_planned(p2c: P2c, source: Path, tmp_path: Path) -> None:
    made = p2c("init", "--legal-entity", "usmf", "--currency", "EUR", "--country", "Germany")
    assert made.code == 0
    assert made.out == (
        "Wrote p2c.toml, and p2c.schema.json for editors. "
        "Next: put the exports into export, then `p2c check` and `p2c plan`.\n"
    )
    (tmp_path / "export").mkdir()
    for name in ("contacts.csv", "accounts.csv"):
        shutil.copy(source / name, tmp_path / "export")
    checked = p2c("check")
    assert checked.code == 0
    assert "ok       setting destination.country: DE (p2c.toml)" in checked.out
    assert p2c("plan", "--json").object["counts"]["customer"] == 5


def test_the_source_is_written_as_seen_from_the_project_file(p2c: P2c, tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    assert p2c("init", "--project", "projects/contoso.toml", "--source", "exports/sales").code == 0
    assert (
        "`p2c plan --project projects/other.toml`"
        in p2c("init", "--project", "projects/other.toml").out
    )
    assert load_project(tmp_path / "projects" / "other.toml").settings.source.path == "export"
    project = load_project(tmp_path / "projects" / "contoso.toml")
    assert project.settings.source.path == "../exports/sales"
    assert project.source_folder.resolve() == tmp_path / "exports" / "sales"


def test_an_address_of_a_store_is_written_as_it_stands(p2c: P2c, tmp_path: Path) -> None:
    made = p2c("init", "--source", "s3://exports/sales")
    assert made.code == 0
    assert made.out.endswith("for editors. Next: `p2c check` and `p2c plan`.\n")
    assert load_project(tmp_path / "p2c.toml").settings.source.path == "s3://exports/sales"
    refused = p2c("init", "--project", "other.toml", "--source", "s3:/exports")
    assert refused.code == 2
    assert "init, source.path: must have two slashes after the colon" in refused.err


def test_editors_find_the_schema_next_to_the_file_and_it_is_no_export(
    p2c: P2c, source: Path
) -> None:
    project = source / "new.toml"
    assert p2c("init", "--project", project, "--source", source, "--legal-entity", "usmf").code == 0
    text = project.read_text(encoding="utf-8")
    assert text.startswith("#:schema ./p2c.schema.json\n")
    schema = source / "p2c.schema.json"
    assert schema.read_text(encoding="utf-8") == read_schema()
    Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(
        tomllib.loads(text)
    )
    assert "p2c.schema.json" not in p2c("check", "--project", project).out


def test_init_lists_the_business_units_of_the_export(p2c: P2c, tmp_path: Path) -> None:
    unit = "00000000-0000-0000-0005-00000000000"
    export = tmp_path / "export"
    export.mkdir()
    header = "contactid,lastname,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid"
    units = [f"{unit}1", f"{unit}1", 'Unit ""2""', f"{unit}3", ""]
    lines = [f'{contactid(place)},Brown,,,,"{one}"' for place, one in enumerate(units, start=1)]
    (export / "contacts.csv").write_text("\n".join([f"{header},owningbusinessunit", *lines]))
    (export / "businessunits.csv").write_text(f"businessunitid,name\n{unit}1,Nord\n")
    made = p2c("init")
    assert "p2c.toml lists the 3 business units of the export." in made.out
    text = (tmp_path / "p2c.toml").read_text(encoding="utf-8")
    below = text.partition("\n[organizations]\n")[2]
    entries = [line for line in below.splitlines() if line.startswith("#")][:3]
    assert entries == [
        '#"Nord" = "usmf"  # 2 contacts',
        '#"Unit \\"2\\"" = "usmf"  # 1 contact',
        f'#"{unit}3" = "usmf"  # 1 contact',
    ]
    assert load_project(tmp_path / "p2c.toml").settings.organizations == {}


def test_an_export_that_cannot_be_read_yet_stops_no_init(p2c: P2c, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    made = p2c("init")
    assert made.code == 0
    assert "The export could not be read yet: " in made.out
    assert "`p2c check`" in made.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--legal-entity", "contoso"),
            "init, destination.legal_entity: must be one to four letters or digits, as in usmf.",
        ),
        (("--currency", "euro"), "destination.currency: must be three capital letters, as in EUR."),
        (
            ("--country", "Narnia"),
            "destination.country: 'Narnia' is not a country that p2c knows. Write",
        ),
        (("--project", "nowhere/p2c.toml"), "there is no folder nowhere."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    p2c: P2c, tmp_path: Path, words: tuple[str, str], sentence: str
) -> None:
    answer = p2c("init", *words)
    assert answer.code == 2
    assert sentence in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_project_file_is_never_overwritten(p2c: P2c, tmp_path: Path) -> None:
    (tmp_path / "p2c.toml").write_text("# mine\n")
    answer = p2c("init")
    assert answer.code == 2
    assert "p2c.toml exists already; p2c does not overwrite it." in answer.err
    assert (tmp_path / "p2c.toml").read_text() == "# mine\n"


def test_on_a_terminal_init_asks_for_what_is_not_said_and_again_after_a_wrong_answer(
    tmp_path: Path,
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipeline.cli", "init", "--currency", "DKK", "--json"]
    home = str(ROOT)
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": home},
    ) as process:
        os.write(ours, b"file\n\nsales\ncontoso\nusmf\nNarnia\n\n")
        assert process.wait() == 0
    os.close(theirs)
    os.close(ours)
    settings = load_project(tmp_path / "p2c.toml").settings
    destination = settings.destination
    assert (settings.source.kind, settings.source.path) == ("files", "sales")
    assert (destination.legal_entity, destination.currency, destination.country) == (
        "usmf",
        "DKK",
        None,
    )


def test_a_live_sales_gets_its_address_and_its_login(tmp_path: Path) -> None:
    url = "https://contoso.crm4.dynamics.com"
    initialise(tmp_path / "p2c.toml", "export", {"url": url, "currency": "EUR"})
    source = load_project(tmp_path / "p2c.toml").settings.source
    assert (source.kind, source.url, source.path) == ("dataverse", url, None)
    assert source.auth is not None
    assert source.auth.secret_env == "P2C_CLIENT_SECRET"  # noqa: S105


@pytest.mark.parametrize(
    ("setting", "answer", "words"),
    [
        ("url", "", "must be an address"),
        ("url", "https://contoso.operations.dynamics.com", "is an address of SCM"),
        ("url", "https://contoso.crm4.dynamics.com", ""),
        ("legal_entity", "contoso", "must be one to four letters"),
        ("legal_entity", "", ""),
        ("currency", "euro", "three capital letters"),
        ("country", "Narnia", "is not a country"),
        ("path", "s3:/exports", "two slashes"),
    ],
)
def test_an_answer_is_checked_when_it_is_given(setting: str, answer: str, words: str) -> None:
    found = find_answer_problem(setting, answer)
    assert (words in found) if words else not found
