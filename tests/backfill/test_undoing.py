"""A backfill applied and undone: its facts, its proof, and what Sales is afterwards."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline.audit.verify import verify_folder
from pipeline.backfill.applying import apply_backfill
from pipeline.backfill.order import list_headers
from pipeline.backfill.undoing import plan_undo
from pipeline.errors import UsageError
from pipeline.events import report_nothing
from pipeline.project.open_run import OpenRun
from pipeline.project.resolve import make_bare_project
from pipeline.project.settings import BackfillSettings
from pipeline.run.files import hash_file, write_json, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.run.summary import digest_facts
from schemas.run import OUTCOME_NAMES
from tests.scenes.json_files import read_json
from tests.scenes.writing import COLUMNS, Scene

EQUATION = "planned = created + updated + unchanged + written + failed + unknown + pending"


def make_whole(scene: Scene) -> None:
    """What planning a backfill writes in addition to its rows."""
    run, plan = scene.run, scene.run.path / "backfill-plan.parquet"
    rows = pl.read_parquet(plan)
    planned = rows.filter(pl.col("action") != "none").height
    count = rows["rank"].count()
    backfill = {"count": count, "highest": 0, "prefix": "CON", "suffix_length": 6}
    facts = {
        "run": str(run.run),
        "kind": "backfill",
        "backfill": backfill,
        "settings": {},
        "project": None,
    }
    write_json(
        run.run_json,
        facts
        | {
            "fingerprints": {},
            "destination": {},
            "versions": {},
            "sources": [],
            "started_at": "2026-01-01T00:00:00+00:00",
        },
    )
    outcomes = dict.fromkeys(OUTCOME_NAMES, 0) | {"pending": planned}
    equation = {
        "equation": EQUATION,
        "left": planned,
        "right": planned,
        "terms": outcomes,
        "balanced": True,
    }
    summary: dict[str, Any] = {
        "run": str(run.run),
        "kind": "backfill",
        "applied": False,
        "verdict": "clean",
        "balanced": True,
    }
    summary |= {
        "equations": [equation],
        "counts": {},
        "reasons": {},
        "findings": {},
        "outcomes": outcomes,
        "forecast": {},
    }
    with Journal.open(run.journal, scene.clock) as journal:
        files = {path.name: hash_file(path) for path in (run.run_json, plan)}
        summary["journal"] = journal.append(
            "planned", run=str(run.run), files=files, summary=digest_facts(summary)
        )
    write_json(run.summary, summary)


def apply(scene: Scene, run: RunFolder, **manner: Any) -> dict[str, Any]:
    values = {"request_rows": "3", **{name: str(value) for name, value in manner.items()}}
    project = make_bare_project({"backfill": values}, "test")
    with Journal.open(run.journal, scene.clock) as journal:
        journal.append("apply_started", run=str(run.run))
        opened = OpenRun(
            folder=run,
            facts=run.facts(),
            summary=run.read_summary(),
            project=project,
            journal=journal,
        )
        return apply_backfill(opened, scene.sales.system, report_nothing).as_json()


def values(scene: Scene) -> dict[str, tuple[Any, ...]]:
    return {key: tuple(row[name] for name in COLUMNS) for key, row in scene.contacts().items()}


def test_an_applied_backfill_balances_and_can_be_verified(scene: Scene) -> None:
    make_whole(scene)
    scene.change(scene.ids[1], jobtitle="changed")
    facts = apply(scene, scene.run)
    assert (facts["verdict"], facts["balanced"], facts["applied"]) == ("attention", True, True)
    assert {name: rows for name, rows in facts["outcomes"].items() if rows} == {
        "updated": 6,
        "failed": 1,
    }
    assert facts["traffic"]["requests"] == len(scene.wire.seen)
    assert verify_folder(scene.run).exit_code == 0, [
        one for one in verify_folder(scene.run).checks if one.status != "ok"
    ]


def test_verify_holds_every_number_against_its_rank_and_the_reservation(scene: Scene) -> None:
    make_whole(scene)
    apply(scene, scene.run)
    path = scene.run.path / "backfill.parquet"
    assert any("All 7 numbers" in one.sentence for one in verify_folder(scene.run).checks)
    table = pl.read_parquet(path)
    first, second = table.filter(pl.col("rank") < 2)["number_after"]
    swapped = pl.col("number_after").replace({first: second, second: first})
    write_table(path, table.with_columns(number_after=swapped))
    wrong = [one.sentence for one in verify_folder(scene.run).checks if one.status == "altered"]
    assert any(sentence.startswith("2 of 7 numbers are not those") for sentence in wrong)


def test_undo_brings_back_the_start_but_for_the_counter(scene: Scene) -> None:
    start = values(scene)
    make_whole(scene)
    apply(scene, scene.run)
    behind = scene.counter()["msdynce_numbersequence"]
    assert values(scene) != start
    undo = plan_undo(scene.run, scene.sales, {}, scene.clock)
    facts = apply(scene, undo)
    assert facts["outcomes"]["updated"] == 7
    assert values(scene) == start
    assert scene.counter()["msdynce_numbersequence"] == behind, (
        "numbers that were handed out stay a gap"
    )
    assert verify_folder(undo).exit_code == 0


def test_undo_leaves_alone_what_changed_since(scene: Scene) -> None:
    make_whole(scene)
    apply(scene, scene.run)
    scene.change(scene.ids[0], msdynce_contactnumber="CON-77777-MINE00")
    scene.change(scene.ids[1], jobtitle="something else changed")
    scene.ask("DELETE", f"contacts({scene.ids[2]})")
    undo = plan_undo(scene.run, scene.sales, {}, scene.clock)
    table = pl.read_parquet(undo.path / "backfill-plan.parquet")
    codes = dict(table.select("contactid", "code").iter_rows())
    assert [codes[one] for one in scene.ids[:4]] == [
        "changed_since_run",
        None,
        "gone_from_sales",
        None,
    ]
    summary = read_json(undo.summary)
    assert (summary["verdict"], summary["findings"]) == (
        "attention",
        {"changed_since_run": 1, "gone_from_sales": 1},
    )
    scene.change(scene.ids[3], jobtitle="changed after the undo was planned")
    facts = apply(scene, undo)
    assert {name: rows for name, rows in facts["outcomes"].items() if rows} == {
        "updated": 4,
        "failed": 1,
    }
    there = scene.contacts()
    assert there[scene.ids[0]]["msdynce_contactnumber"] == "CON-77777-MINE00"
    assert there[scene.ids[1]]["msdynce_contactnumber"] is None
    assert there[scene.ids[3]]["msdynce_contactnumber"] is not None


def test_what_was_not_written_by_the_run_is_not_undone(scene: Scene) -> None:
    make_whole(scene)
    scene.change(scene.ids[1], msdynce_contactnumber="CON-77777-MINE00")
    apply(scene, scene.run)
    undo = plan_undo(scene.run, scene.sales, {}, scene.clock)
    assert (
        scene.ids[1]
        not in pl.read_parquet(undo.path / "backfill-plan.parquet")["contactid"].to_list()
    )


def test_a_backfill_that_was_not_applied_is_not_undone(scene: Scene) -> None:
    make_whole(scene)
    with pytest.raises(UsageError, match="only applied backfills"):
        plan_undo(scene.run, scene.sales, {}, scene.clock)


def test_manners_become_headers() -> None:
    assert list_headers(BackfillSettings()) == {}
    assert list_headers(BackfillSettings(bypass="plugins", duplicate_detection="suppress")) == {
        "MSCRM.BypassCustomPluginExecution": "true",
        "MSCRM.SuppressDuplicateDetection": "true",
    }
    assert list_headers(BackfillSettings(bypass="logic")) == {
        "MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"
    }
