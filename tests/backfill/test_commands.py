"""``p2c apply``, ``p2c undo`` and ``p2c verify`` on a backfill, against a sandbox that serves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.apply.consent import build_question
from pipeline.cli.app import main
from pipeline.plan import fingerprint
from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_sales
from pipeline.run.facts import Kind, Setting
from pipeline.run.files import hash_file, write_json, write_table
from pipeline.run.folder import RunFolder
from pipeline.run.journal import Journal
from pipeline.sandbox.serve import Ready
from schemas.run import FINDINGS, OUTCOMES
from tests.benchmarks.backfill_live import contacts, emptied, planned, sales_at
from tests.scenes.json_files import read_json
from tests.scenes.sampled import running_samples


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ready]:
    with running_samples(60) as found:
        monkeypatch.setenv(found.secret_env, found.secret)
        yield found


@pytest.fixture
def run(ready: Ready, tmp_path: Path) -> RunFolder:
    """A backfill's plan as planning leaves it: six contacts without a number."""
    folder = RunFolder(tmp_path / "runs" / "20260101T000000Z-0001")
    with sales_at(json.loads(ready.line())) as sales:
        emptied(sales, 60)
        planned(sales, folder)
    project = load_project(Path(ready.project))
    facts: dict[str, Any] = read_json(folder.run_json) | {
        "settings": {key: one.as_json() for key, one in project.effective().items()},
        "project": ready.project,
        "live_source": True,
    }
    facts |= {
        "fingerprints": fingerprint.take_fingerprints(project, Kind.BACKFILL),
        "started_at": datetime.now(UTC).isoformat(),
    }
    write_json(folder.run_json, facts)
    write_table(folder.findings, FINDINGS.to_frame())
    write_table(folder.outcomes, OUTCOMES.to_frame())
    folder.journal.unlink()
    with Journal.open(folder.journal, lambda: datetime.now(UTC)) as journal:
        files = {
            path.name: hash_file(path)
            for path in (folder.run_json, folder.findings, folder.path / "backfill-plan.parquet")
        }
        write_json(
            folder.summary,
            read_json(folder.summary) | {"journal": journal.append("planned", files=files)},
        )
    return folder


def call(
    capsys: pytest.CaptureFixture[str], run: RunFolder, *words: str
) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--runs", str(run.path.parent), "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_applied_verified_undone_and_the_undo_applied(
    ready: Ready, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with sales_at(json.loads(ready.line())) as sales:
        start = contacts(sales).drop("etag").sort("contactid")
        capsys.readouterr()
        code, printed = call(capsys, run, "apply", str(run.run))
        assert (code, printed["verdict"], printed["outcomes"]["updated"]) == (0, "clean", 6), (
            printed
        )
        assert contacts(sales)["msdynce_contactnumber"].null_count() == 0
        assert call(capsys, run, "verify", str(run.run))[0] == 0
        code, printed = call(capsys, run, "undo", str(run.run))
        assert (code, printed["outcomes"]["pending"]) == (0, 6)
        code, printed = call(capsys, run, "apply", printed["run"])
        assert (code, printed["outcomes"]["updated"]) == (0, 6)
        assert contacts(sales).drop("etag").sort("contactid").equals(start)


def test_a_plan_that_was_altered_or_is_too_old_writes_nothing(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    plan = run.path / "backfill-plan.parquet"
    kept = plan.read_bytes()
    write_table(plan, pl.read_parquet(plan).with_columns(suffix=pl.lit("AAAAAA")))
    code, printed = call(capsys, run, "apply", str(run.run))
    assert (code, printed["error"]["code"]) == (4, "invariant_broken")
    plan.write_bytes(kept)
    assert call(capsys, run, "apply", str(run.run))[0] == 0


def test_beyond_this_machine_nothing_is_written_unless_somebody_agreed(run: RunFolder) -> None:
    far = "https://contoso.crm4.dynamics.com"
    facts, summary = run.facts(), run.read_summary()
    assert build_question(facts, summary) is None
    there = {**facts.settings, "source.url": Setting(value=far, origin="p2c.toml")}
    asked = build_question(facts.model_copy(update={"settings": there}), summary)
    assert asked is not None
    assert f"6 contacts into Sales\n  at  {far}" in asked.text
    with connect_sales(
        load_project(Path(str(facts.project)), assignments=[f"source.url={far}"])
    ) as sales:
        assert sales.system.label == "Sales (contoso.crm4.dynamics.com)"
