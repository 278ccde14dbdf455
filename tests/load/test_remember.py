"""What a destination is remembered to have.

Only what arrived, replaced whole, rebuilt from the runs.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import filelock
import httpx
import polars as pl
import pytest

from pipeline.errors import Stopped
from pipeline.events import report_nothing
from pipeline.load import remember
from pipeline.load.order import LoadOptions
from pipeline.plan.make import make_plan
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal, read_journal
from tests.scenes.loading import OURS, RIVAL, START, Halt, Scene, number, planned
from tests.scenes.loads import MakeScene
from tests.scenes.small import PROJECT

THERE = [OURS | {"CUSTOMERACCOUNT": number(2), "PARTYNUMBER": number(2)}, RIVAL]


def table(scene: Scene, task: str = "ContactToCustomer") -> pl.DataFrame:
    return pl.read_parquet(scene.run.path.parent / "loaded" / "test" / f"{task}.parquet").sort(
        "destination_key"
    )


def everything(scene: Scene) -> list[pl.DataFrame]:
    return [table(scene, task) for task in ("Contacts", "ContactToCustomer")]


def arrived(scene: Scene) -> set[str]:
    """Contact numbers under which SCM has what was loaded."""
    return {
        *scene.persons(),
        *(account for account, name in scene.customers().items() if name != "Old"),
    }


@pytest.mark.parametrize("how", ["packages", "odata"])
def test_only_what_arrived_is_remembered(scenes: MakeScene, how: str) -> None:
    scene = scenes(there=THERE)
    scene.load(how)
    found = table(scene)
    assert found["destination_key"].to_list() == [f"usmf/{number(place)}" for place in (1, 2, 3, 5)]
    assert found["run"].unique().to_list() == [scene.run.run]
    planned_rows = pl.read_parquet(scene.run.rows_files("ContactToCustomer")).select(
        "destination_key", "row_hash", "batch", "legal_entity"
    )
    assert (
        found.join(planned_rows, on=["destination_key", "row_hash", "batch", "legal_entity"]).height
        == 4
    )


@pytest.mark.parametrize("entity", ["usmf", "USMF"])
@pytest.mark.parametrize("how", ["packages", "odata"])
def test_what_is_remembered_is_unchanged_for_the_next_plan_and_not_sent_again(
    tmp_path: Path, entity: str, how: str
) -> None:
    """Whatever case the next project writes its legal entity in."""
    runs = planned(tmp_path, known=[number(2)])
    project = load_project(tmp_path / "source" / "p2c.toml")
    first = Scene(
        run=RunFolder(next(path for path in runs.iterdir() if path.is_dir())),
        project=project,
        there=THERE,
    )
    first.load()
    lines = [
        "CustomerAccount,PartyNumber,dataAreaId",
        "ACC-01000-ABCDEF,ACC-01000-ABCDEF,usmf",
        *(f"{number(place)},{number(place)},usmf" for place in (1, 2, 3, 5)),
    ]
    (tmp_path / "source" / "known.csv").write_text("\n".join(lines) + "\n")
    file = tmp_path / "source" / "p2c.toml"
    project = load_project(file, assignments=[f"destination.legal_entity={entity}"])
    again = make_plan(project, PlanRequest(), runs, lambda: START, report_nothing)
    actions = Counter(pl.read_parquet(again.rows_files("ContactToCustomer"))["action"])
    assert actions == {"unchanged": 4, "create": 1}
    second = Scene(run=again, project=project)
    loaded = second.load(how)
    assert loaded.outcomes == {"unchanged": 7, "created": 1}
    assert second.customers().keys() == {number(4)}
    assert table(second).height == 5
    assert {key.split("/")[0] for key in table(second)["destination_key"]} == {"usmf"}
    first.close()
    second.close()


@pytest.mark.parametrize("how", ["packages", "odata"])
def test_a_load_that_stops_remembers_what_it_had_loaded(scenes: MakeScene, how: str) -> None:
    scene = scenes(there=THERE)
    name = "ImportFromPackageAsync" if how == "packages" else "$batch"

    def before(request: httpx.Request) -> None:
        if request.url.path.endswith(name) and scene.wire.count(name) == 3:
            raise Halt

    scene.wire.before = before
    with pytest.raises(Halt):
        scene.load(how)
    kept = list((scene.run.path.parent / "loaded" / "test").glob("*.parquet"))
    remembered = {
        key.split("/")[1] for path in kept for key in pl.read_parquet(path)["destination_key"]
    }
    assert remembered == arrived(scene)
    assert len(remembered) >= 3
    assert not remember.is_memory_behind(scene.run.path.parent, "test")


def kill_before_it_remembers(scene: Scene, how: str) -> None:
    """As a kill -9 in the middle of the second unit: only the journal is written.

    What was written later is removed: the memory, and the line that says so.
    """
    name = "ImportFromPackageAsync" if how == "packages" else "$batch"

    def before(request: httpx.Request) -> None:
        if request.url.path.endswith(name) and scene.wire.count(name) == 3:
            raise Halt

    scene.wire.before = before
    with pytest.raises(Halt):
        scene.load(how)
    scene.wire.before = lambda _request: None
    for path in (scene.run.path.parent / "loaded" / "test").glob("*.parquet"):
        path.unlink()
    *lines, last = scene.run.journal.read_bytes().splitlines(keepends=True)
    assert json.loads(last)["event"] == remember.REMEMBERED
    scene.run.journal.write_bytes(b"".join(lines))


@pytest.mark.parametrize("how", ["packages", "odata"])
def test_the_memory_of_a_killed_load_is_behind_and_can_be_rebuilt(
    scenes: MakeScene, how: str
) -> None:
    scene, whole = scenes(there=THERE), scenes(there=THERE)
    kill_before_it_remembers(scene, how)
    runs = scene.run.path.parent
    assert remember.is_memory_behind(runs, "test")
    remember.rebuild_memory(runs, "test")
    first = {
        path.stem: pl.read_parquet(path) for path in (runs / "loaded" / "test").glob("*.parquet")
    }
    numbers = {key.split("/")[1] for frame in first.values() for key in frame["destination_key"]}
    assert numbers == arrived(scene)
    scene.load(how)
    assert not remember.is_memory_behind(runs, "test")
    whole.load(how)
    columns = ["legal_entity", "destination_key", "row_hash", "run", "batch"]
    assert [one.select(columns).rows() for one in everything(scene)] == [
        one.select(columns).rows() for one in everything(whole)
    ]


def test_rebuilding_gives_what_was_remembered(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    scene.load()
    with Journal.open(scene.run.journal, scene.clock) as journal:
        journal.append("applied", outcomes={})
    before = everything(scene)
    for path in (scene.run.path.parent / "loaded" / "test").glob("*.parquet"):
        path.unlink()
    remember.rebuild_memory(scene.run.path.parent, "test")
    assert all(one.equals(other) for one, other in zip(before, everything(scene), strict=True))
    remember.rebuild_memory(scene.run.path.parent, "elsewhere")
    assert not (scene.run.path.parent / "loaded" / "elsewhere").exists()


def test_two_loads_into_one_destination_do_not_run_at_once(scenes: MakeScene) -> None:
    scene = scenes()
    folder = scene.run.path.parent / "loaded" / "test"
    folder.mkdir(parents=True)
    with (
        filelock.FileLock(folder / ".lock"),
        pytest.raises(Stopped, match="another process is loading into this destination"),
    ):
        scene.load()
    assert not scene.wire.seen


def test_auto_takes_odata_up_to_its_threshold_and_packages_beyond_it(scenes: MakeScene) -> None:
    scene = scenes(there=THERE)
    assert scene.load("auto", auto_rows=3).outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert (scene.wire.count("$batch"), scene.wire.count("ImportFromPackageAsync")) == (2, 2)
    table = pl.read_parquet(scene.run.batches)
    assert dict(table.select("task", pl.col("file").is_not_null()).unique().iter_rows()) == {
        "Contacts": False,
        "ContactToCustomer": True,
    }
    effects = {
        entry.payload["effect"]
        for entry in read_journal(scene.run.journal).entries
        if entry.event == "intent"
    }
    assert effects == {"import", "odata"}


@pytest.mark.parametrize(("rows", "way"), [(0, "odata"), (500, "odata"), (501, "packages")])
def test_the_threshold_counts_rows_of_one_task_and_legal_entity(rows: int, way: str) -> None:
    assert LoadOptions(load="auto").way(rows) == way
    assert {LoadOptions(load=load).way(rows) for load in ("packages", "odata")} == {
        "packages",
        "odata",
    }


@pytest.mark.parametrize("how", ["packages", "odata"])
def test_a_legal_entity_in_capitals_is_loaded_like_any_other(tmp_path: Path, how: str) -> None:
    runs = planned(tmp_path, known=[number(2)], project=PROJECT.replace("usmf", "USMF"))
    scene = Scene(
        run=RunFolder(next(path for path in runs.iterdir() if path.is_dir())),
        project=load_project(tmp_path / "source" / "p2c.toml"),
        there=THERE,
    )
    assert scene.load(how).outcomes == {"created": 6, "updated": 1, "failed": 1}
    assert {key.split("/")[0] for key in scene.outcomes()} == {"USMF"}
    assert table(scene)["legal_entity"].unique().to_list() == ["usmf"]
    scene.close()
