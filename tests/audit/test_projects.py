"""``purge --scm`` removes what packages left in SCM: only ours, and only what has ended."""

from __future__ import annotations

import httpx
import pytest

from pipeline.audit.projects import (
    TIDIED,
    DataProjects,
    find_projects,
    remove_projects,
    render_projects,
)
from pipeline.errors import Stopped
from pipeline.run.journal import Journal, read_journal
from tests.scenes.loading import Scene
from tests.scenes.loads import MakeScene, plans, scenes

__all__ = ["plans", "scenes"]


@pytest.fixture
def scene(scenes: MakeScene) -> Scene:
    """An SCM into which the plan was loaded as packages."""
    made = scenes()
    made.load("packages")
    return made


def groups(scene: Scene) -> list[str]:
    return [
        row["Name"]
        for row in scene.twin.store.select('SELECT * FROM "DataManagementDefinitionGroups"', [])
    ]


def find(scene: Scene) -> DataProjects:
    return find_projects(scene.scm, [scene.run], [scene.run])


def add_foreign(scene: Scene, name: str) -> None:
    """Somebody else makes a data project."""
    response = scene.scm.system.client.post(
        "data/DataManagementDefinitionGroups", json={"Name": name, "OperationType": "Import"}
    )
    assert response.status_code == 201, response.text


def test_every_data_project_of_a_run_goes_and_those_of_others_stay(scene: Scene) -> None:
    ours = groups(scene)
    add_foreign(scene, "p2c-made-by-hand")
    found = find(scene)
    assert sorted(found.removable) == sorted(ours)
    assert found.busy == ()
    done = remove_projects(scene.scm, found, scene.clock)
    assert (sorted(done.names), done.refused) == (sorted(ours), {})
    assert groups(scene) == ["p2c-made-by-hand"]
    last = read_journal(scene.run.journal).entries[-1]
    assert (last.event, sorted(last.payload["projects"])) == (TIDIED, sorted(ours))
    assert scene.run.read_summary().journal == last.hash
    assert render_projects(find(scene)).startswith("SCM has no data project of these runs")


def test_a_project_stays_while_the_journal_does_not_say_that_its_import_ended(
    scene: Scene,
) -> None:
    name = groups(scene)[0]
    ids = {"task": "Contacts", "legal_entity": "usmf", "batch": 99, "part": 0, "attempt": 1}
    with Journal.open(scene.run.journal, scene.clock) as journal:
        journal.intent("import", **ids, definition_group=name, execution_id="another")
    found = find(scene)
    assert found.busy == (name,)
    assert name not in found.removable
    assert "1 others stay" in render_projects(found)


def test_a_project_stays_while_scm_says_that_its_import_is_under_way(scene: Scene) -> None:
    ours = groups(scene)

    def delay(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        is_status = request.url.path.endswith("GetExecutionSummaryStatus")
        return httpx.Response(200, json={"value": "Executing"}) if is_status else response

    scene.wire.after = delay
    found = find(scene)
    assert (dict(found.removable), sorted(found.busy)) == ({}, sorted(ours))


def test_what_scm_refuses_to_remove_is_told_and_the_others_go(scene: Scene) -> None:
    ours = groups(scene)

    def refuse(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "DELETE" and ours[0] in str(request.url):
            error = {
                "message": "An error has occurred.",
                "innererror": {"message": "It is in use."},
            }
            return httpx.Response(400, json={"error": error})
        return response

    scene.wire.after = refuse
    done = remove_projects(scene.scm, find(scene), scene.clock)
    assert list(done.refused) == [ours[0]]
    assert "It is in use" in done.refused[ours[0]]
    assert sorted(done.names) == sorted(ours[1:])


def test_a_project_that_went_meanwhile_is_gone(scene: Scene) -> None:
    found = find(scene)
    name = next(iter(found.removable))
    scene.scm.delete("DataManagementDefinitionGroups", name)
    assert name in remove_projects(scene.scm, found, scene.clock).names


def test_what_was_removed_before_a_stop_is_written_down(scene: Scene) -> None:
    found = find(scene)
    second = list(found.removable)[1]

    def fail(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "DELETE" and second in str(request.url):
            return httpx.Response(401)
        return response

    scene.wire.after = fail
    with pytest.raises(Stopped, match="SCM"):
        remove_projects(scene.scm, found, scene.clock)
    last = read_journal(scene.run.journal).entries[-1]
    assert last.payload["projects"] == [next(iter(found.removable))]
