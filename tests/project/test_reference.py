"""What is made from the descriptions of settings: the reference page and the JSON schema."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from pipeline.mapping.template import MappingRow
from pipeline.project.reference import PAGE, SCHEMA, render_page, write_all
from pipeline.project.schema import build_schema, read_schema, render_schema
from pipeline.project.settings import SECTIONS, Settings
from pipeline.project.starter import render_starter
from pipeline.wire.login.settings import AuthSettings
from tests.scenes.places import ROOT, SAMPLES
from tests.scenes.small import PROJECT

MODELS: tuple[type[BaseModel], ...] = (Settings, *SECTIONS.values(), AuthSettings, MappingRow)
STARTER = render_starter(
    {"legal_entity": "usmf", "currency": "EUR", "country": "DE"}, path="export"
)


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_says_what_it_does_in_sentences(model: type[BaseModel]) -> None:
    texts = {
        name: field.description or ""
        for name, field in model.model_fields.items()
        if name not in SECTIONS
    }
    assert {name for name, text in texts.items() if not re.fullmatch(r"\S.*\S\.", text)} == set()


def test_the_page_and_the_schema_are_what_the_command_writes(
    request: pytest.FixtureRequest,
) -> None:
    if request.config.getoption("--update-goldens"):
        write_all(ROOT)
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page == render_page(), "python -m pipeline.project.reference writes it"
    assert read_schema() == render_schema(), "python -m pipeline.project.reference writes it"


def problems(text: str) -> Iterator[str]:
    validator = Draft202012Validator(build_schema())
    yield from (one.json_path for one in validator.iter_errors(tomllib.loads(text)))


def test_the_schema_is_one() -> None:
    schema = json.loads(read_schema())
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) >= {"source", "destination", "tasks"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param((SAMPLES / "p2c.toml").read_text(encoding="utf-8"), id="samples"),
        pytest.param(PROJECT, id="small"),
        pytest.param(STARTER, id="starter"),
        pytest.param(
            re.sub(r"(?m)^#(?=[^\s:])", "", STARTER), id="starter with every line in force"
        ),
        pytest.param('[destination]\ncurrency = ""\nbatch_rows = 1\n', id="a blank is not set"),
        pytest.param("[run]\nmax_plan_age = 36\npoll = 0.5\n", id="bare numbers"),
        pytest.param("[tasks.Contacts.fields.Notes]\ndefault = 1\n", id="a number for a text"),
        pytest.param('[source.auth]\ntenant = "x"\n', id="the rest comes from the environment"),
        pytest.param(
            '[columns.Contacts]\nTier.type = "NoYes"\n[tasks.Contacts.fields]\nTier.default = "No"',
            id="a declared column",
        ),
        pytest.param(
            '[destination]\nurl = "https://a.b"\n[tasks.Contacts.fields.Tier]\ndefault = "Yes"\n',
            id="SCM says which columns there are",
        ),
        pytest.param("[labels.gendercode]\nWeiblich = 2\n", id="a number for a choice"),
        pytest.param("[labels.donotemail]\nNein = false\n", id="false for No"),
    ],
)
def test_the_schema_takes_what_p2c_takes(text: str) -> None:
    assert list(problems(text)) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[sorce]\npath = "."', "$"),
        ('[source]\npth = "."', "$.source"),
        ('[source]\nkind = "file"', "$.source.kind"),
        ("[source]\nrow_limit = 1", "$.source.row_limit"),
        ('[source.auth]\nsecret = "hush"', "$.source.auth"),
        ('[destination]\ncurrency = "euro"', "$.destination.currency"),
        ('[run]\nmemory = "lots"', "$.run.memory"),
        ("[run]\nmax_plan_age = true", "$.run.max_plan_age"),
        ('[organizations]\nContoso = "contoso"', "$.organizations.Contoso"),
        ('[countries]\nDtl = "Germany"', "$.countries.Dtl"),
        ("[tasks.Contcts.fields.Notes]\ndefault = 1", "$.tasks"),
        ("[tasks.Contacts.fields.Noets]\ndefault = 1", "$.tasks.Contacts.fields"),
        ("[tasks.Contacts.fields.Notes]\nsorce = 1", "$.tasks.Contacts.fields.Notes"),
        (
            '[tasks.Contacts.fields.Notes]\non_unknown = "x"',
            "$.tasks.Contacts.fields.Notes.on_unknown",
        ),
    ],
)
def test_the_schema_refuses_what_p2c_refuses(text: str, where: str) -> None:
    assert list(problems(text)) == [where]


def explained(schema: Mapping[str, object]) -> bool:
    return "description" in schema or "$ref" in schema


def test_an_editor_can_show_what_every_setting_does() -> None:
    schema = build_schema()
    tables = [
        schema["properties"],
        *(one["properties"] for one in schema["$defs"].values() if "properties" in one),
    ]
    assert all(explained(one) for table in tables for one in table.values())


def test_both_files_are_written(tmp_path: Path) -> None:
    assert write_all(tmp_path) == [tmp_path / PAGE, tmp_path / SCHEMA]
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == render_page()
    assert (tmp_path / SCHEMA).read_text(encoding="utf-8") == render_schema()
