"""``p2c purge --scm`` on the command line: nothing goes without a word of agreement."""

from __future__ import annotations

from pathlib import Path

from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from tests.journeys.apply.conftest import Begin, newest
from tests.scenes.command_line import P2c

FILES = 'kind = "files"\npath = "."'


def list_projects(project: Path) -> list[str]:
    with connect_scm(load_project(project)) as scm:
        pages = scm.pages("DataManagementDefinitionGroups")
        return [str(row["Name"]) for page in pages for row in page]


def test_data_projects_are_removed_only_when_somebody_agrees(begin: Begin, p2c: P2c) -> None:
    project = begin().project("packages", source=FILES)
    p2c("run", "--project", project)
    ours = list_projects(project)
    assert len(ours) == 5
    run = newest(Path("runs")).run
    asked = p2c("purge", run, "--scm", "--json")
    assert [one["removed"] for one in asked.object["items"]] == [False] * 5
    assert list_projects(project) == ours
    done = p2c("purge", "latest", "--scm", "--yes", "--json")
    assert done.code == 0
    assert sorted(one["project"] for one in done.object["items"]) == sorted(ours)
    assert list_projects(project) == []
    assert p2c("verify", run).code == 0
    assert p2c("purge", "--scm", "--json").object["items"] == []
