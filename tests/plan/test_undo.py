"""An undo pack says for every key whether it can be taken back, and nobody mistakes it for done."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import polars as pl
import pytest

from pipeline.commands.apply import apply_run
from pipeline.commands.confirm import confirm_import
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.undo import undo_run
from pipeline.commands.verify import verify_run
from pipeline.errors import PlanRefused, UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.report.facts import collect_page_facts
from pipeline.report.page import render_report
from pipeline.run.files import hash_file, write_json
from pipeline.run.folder import RunFolder, find_run
from pipeline.run.journal import Journal
from tests.scenes.json_files import read_json
from tests.scenes.small import CUSTOMERS, PERSONS

PLANNED = CUSTOMERS + PERSONS


def clock() -> datetime:
    return datetime(2026, 1, 2, tzinfo=UTC)


def pack(common: Flags, run: RunFolder) -> RunFolder:
    return find_run(common.runs, undo_run(common, str(run.run)).summary.run)


def actions(pack_: RunFolder) -> dict[str, int]:
    return dict(pl.read_parquet(pack_.path / "undo.parquet")["action"].value_counts().iter_rows())


def test_what_a_package_created_must_be_deleted_by_hand_and_its_keys_are_listed(
    common: Flags, run: RunFolder
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    result = undo_run(common, str(run.run))
    assert result.exit_code == 1
    assert "packages delete nothing" in str(result.text)
    assert "Nothing of this run can be undone by p2c." in str(result.text)
    made = find_run(common.runs, result.summary.run)
    assert actions(made) == {"by_hand": PLANNED}
    with (made.path / "undo.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = [row["destination_key"] for row in csv.DictReader(file)]
    assert sorted(listed) == sorted(pl.read_parquet(run.outcomes)["destination_key"].to_list())


def test_rows_of_unknown_fate_are_not_touched(common: Flags, run: RunFolder) -> None:
    assert actions(pack(common, run)) == {"unknown": PLANNED}


def test_what_odata_created_is_deleted_and_updates_are_restored_from_what_was_kept(
    common: Flags, run: RunFolder
) -> None:
    confirm_import(common, str(run.run), errors=(), packages=())
    with Journal.open(run.journal, clock) as journal:
        for number in range(1, 4):
            journal.done(
                "odata", task="ContactToCustomer", legal_entity="usmf", batch=number, part=1
            )
    frame = pl.read_parquet(run.outcomes)
    updated = pl.col("contactid").str.contains("00[12]$")
    frame.with_columns(
        outcome=pl.when(updated).then(pl.lit("updated")).otherwise("outcome")
    ).write_parquet(run.outcomes)
    with Journal.open(run.journal, clock) as journal:
        journal.append("confirmed", files={run.outcomes.name: hash_file(run.outcomes)})
    (run.path / "before").mkdir()
    image = frame.filter(pl.col("contactid").str.ends_with("001")).select(
        "destination_key", AddressCity=pl.lit("Before")
    )
    image.write_parquet(run.path / "before" / "ContactToCustomer.parquet")
    made = pack(common, run)
    assert actions(made) == {"delete": CUSTOMERS - 2, "restore": 1, "lost": 1, "by_hand": PERSONS}
    assert pl.read_parquet(made.path / "before" / "ContactToCustomer.parquet")[
        "AddressCity"
    ].to_list() == ["Before"]
    planned = pl.read_parquet(made.rows_files("ContactToCustomer"))
    assert planned["action"].value_counts(sort=True).rows() == [
        ("delete", CUSTOMERS - 2),
        ("restore", 1),
    ]
    assert planned["batch"].to_list() == [1, 1, 2, 2], "batches of batch_rows"
    assert made.rows_files("Contacts") == []
    assert read_json(made.summary)["outcomes"]["pending"] == CUSTOMERS - 1
    assert verify_run(common, str(made.run)).exit_code == 0


def test_a_pack_with_nothing_to_take_back_is_a_whole_run_that_is_not_applied(
    common: Flags, run: RunFolder
) -> None:
    made = pack(common, run)
    assert verify_run(common, str(made.run)).exit_code == 0
    facts = read_json(made.summary)
    assert (facts["kind"], facts["undo_of"], facts["balanced"]) == ("undo", str(run.run), True)
    page = render_report(collect_page_facts(made))
    assert "8 unknown" in page
    assert "What cannot be shown in full" not in page
    with pytest.raises(PlanRefused, match="nothing that p2c can take back"):
        apply_run(common, str(made.run), report_nothing)
    with pytest.raises(UsageError, match="only applied loads"):
        undo_run(common, str(made.run))


def test_a_plan_has_nothing_to_undo(common: Flags) -> None:
    plan_contacts(common, PlanRequest(), report_nothing)
    with pytest.raises(UsageError, match="only applied loads"):
        undo_run(common, "latest")


def test_a_pack_with_an_altered_list_is_found_out(common: Flags, run: RunFolder) -> None:
    made = pack(common, run)
    write_json(made.path / "undo.csv", {})
    assert verify_run(common, str(made.run)).exit_code == 4
