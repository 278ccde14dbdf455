"""``p2c run`` and ``p2c apply`` into a sandbox that serves, over packages and over OData."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.apply.conftest import Begin, facts, newest, outcomes
from tests.scenes.command_line import P2c
from tests.scenes.small import CUSTOMERS, PERSONS

FILES = 'kind = "files"\npath = "."'


@pytest.mark.parametrize("load", ["packages", "odata", "auto"])
def test_a_plan_is_loaded_and_the_folder_verified(begin: Begin, p2c: P2c, load: str) -> None:
    project = begin().project(load, source=FILES)
    answer = p2c("run", "--project", project, "--json")
    assert answer.code == 1, answer.err
    run = newest(Path("runs"))
    assert answer.object["outcomes"]["created"] == CUSTOMERS + PERSONS, (
        outcomes(run).select("outcome", "code", "message").rows()
    )
    run = newest(Path("runs"))
    assert facts(run)["throttling"]["requests"] > 0
    assert outcomes(run).height == CUSTOMERS + PERSONS
    assert p2c("verify", "latest").code == 0
    again = p2c("replay", "latest")
    assert again.code == 0, again.out
    assert "already applied to the end" in p2c("apply", "latest").out


def test_the_same_again_sends_nothing(begin: Begin, p2c: P2c) -> None:
    project = begin().project(source=FILES)
    p2c("run", "--project", project)
    again = p2c("run", "--project", project, "--json")
    assert again.object["outcomes"] | {"unchanged": 0} == dict.fromkeys(again.object["outcomes"], 0)
    assert again.object["outcomes"]["unchanged"] == CUSTOMERS + PERSONS
    assert not list((newest(Path("runs")).path / "packages").rglob("*.zip"))
