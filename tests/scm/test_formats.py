"""How SCM reads the numbers and times of packages: where it says so, p2c looks."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from pipeline.commands.check import check_project
from pipeline.commands.options import Flags
from pipeline.events import report_nothing
from pipeline.scm.formats import SourceFormat, read_source_format
from pipeline.scm.metadata import Model
from tests.scenes.loads import MakeScene, plans, scenes
from tests.scenes.small import write_small

__all__ = ["plans", "scenes"]

SET = "DataManagementSourceFormats"
COLUMNS = dict.fromkeys(("SourceName", "LanguageId", "TimeZone"), "Edm.String")
MODEL = Model(sets={"CustomersV2": {"Name": "Edm.String"}, SET: COLUMNS}, enums={})


@pytest.mark.parametrize(
    ("language", "zone"),
    [
        ("en-us", "UTC"),
        ("EN-US", "GMT_COORDINATEDUNIVERSALTIME"),
        ("en-US", "(GMT) Coordinated Universal Time"),
    ],
)
def test_english_and_universal_time_are_right(language: str, zone: str) -> None:
    assert SourceFormat(language=language, time_zone=zone).problem is None


@pytest.mark.parametrize(("language", "zone"), [("de-DE", "UTC"), ("en-us", "GMTPLUS0100_BERLIN")])
def test_another_language_or_zone_is_refused_with_what_to_do(language: str, zone: str) -> None:
    problem = SourceFormat(language=language, time_zone=zone).problem
    assert problem is not None
    assert f"'{language}'" in problem
    assert f"'{zone}'" in problem
    assert "Set en-US and UTC" in problem


def test_a_set_with_name_language_and_zone_is_asked_for_our_format(scenes: MakeScene) -> None:
    scene = scenes()
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        asked.append(unquote(str(request.url)))
        row = {"SourceName": "CSV-Unicode", "LanguageId": "de-DE", "TimeZone": "UTC"}
        return httpx.Response(200, json={"value": [row]})

    scene.wire.before = answer
    assert read_source_format(scene.scm, MODEL) == SourceFormat(language="de-DE", time_zone="UTC")
    assert len(asked) == 1
    assert "SourceName eq 'CSV-Unicode'" in asked[0]


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (Model(sets={"Others": COLUMNS}, enums={}), httpx.Response(500)),
        (Model(sets={SET: {"SourceName": "Edm.String"}}, enums={}), httpx.Response(500)),
        (MODEL, httpx.Response(403, json={"error": {"message": "no"}})),
        (MODEL, httpx.Response(400, json={"error": {"message": "no"}})),
        (MODEL, httpx.Response(200, json={"value": []})),
    ],
    ids=["no such set", "no such columns", "not allowed", "refused", "no such format"],
)
def test_a_format_that_is_not_published_is_not_known(
    scenes: MakeScene, model: Model, answer: httpx.Response
) -> None:
    scene = scenes()
    scene.wire.before = lambda _request: answer
    assert read_source_format(scene.scm, model) is None


def test_check_says_what_it_could_not_look_at(tmp_path: Path) -> None:
    common = Flags(project=write_small(tmp_path / "source"), runs=tmp_path / "runs")
    told = {str(one["what"]): one for one in check_project(common, report_nothing).items}
    found = told["source data format CSV-Unicode"]
    assert found["status"] == "note"
    assert "language en-US and the time zone UTC" in str(found["message"])
