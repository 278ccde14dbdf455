"""What the flags of ``plan`` and ``run`` do, from the command line to the run folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.scenes.command_line import Answer, P2c
from tests.scenes.small import contactid, number, rows, write_small


def folder(answer: Answer) -> Path:
    return Path(answer.object["folder"])


def decisions(answer: Answer) -> dict[str, str]:
    """Contact number or place → reason."""
    frame = pl.read_parquet(folder(answer) / "decisions.parquet")
    return {str(row["contactid"])[-2:]: row["reason"] for row in frame.iter_rows(named=True)}


def actions(answer: Answer) -> dict[str, int]:
    frame = pl.concat(
        [pl.read_parquet(path) for path in folder(answer).glob("rows/*/*.parquet")], how="diagonal"
    )
    return dict(frame["action"].value_counts().iter_rows())


def request(answer: Answer) -> Any:
    return json.loads((folder(answer) / "run.json").read_text())["request"]


def test_limit_takes_the_first_contacts_in_source_order(p2c: P2c, source: Path) -> None:
    answer = p2c("plan", "--project", source / "p2c.toml", "--limit", "2", "--json")
    told = decisions(answer)
    assert [place for place, reason in told.items() if reason != "not_selected"] == ["01", "02"]
    assert answer.object["counts"] == {
        "customer": 2,
        "contact": 0,
        "skipped": 9,
        "held": 0,
        "rejected": 0,
    }
    assert request(answer)["limit"] == 2
    assert answer.code == 0


def test_limit_0_is_a_plan_of_nothing(p2c: P2c, source: Path) -> None:
    answer = p2c("run", "--project", source / "p2c.toml", "--limit", "0", "--json")
    assert answer.code == 1
    assert answer.object["counts"]["skipped"] == 11
    assert answer.object["outcomes"]["written"] == 0


def test_only_takes_the_contacts_of_a_file(p2c: P2c, source: Path, tmp_path: Path) -> None:
    (tmp_path / "only.csv").write_text(
        f"contactid;name\n{{{contactid(7).upper()}}};x\n{contactid(10)};y\n"
    )
    answer = p2c("plan", "--project", source / "p2c.toml", "--only", "only.csv", "--json")
    told = decisions(answer)
    assert {place: reason for place, reason in told.items() if reason != "not_selected"} == {
        "07": "company_is_account", "10": "contact_number_missing",
    }  # fmt: skip
    (tmp_path / "only.csv").write_text("contactid\nnobody\n")
    wrong = p2c("plan", "--project", source / "p2c.toml", "--only", "only.csv", "--json")
    assert wrong.code == 2
    assert wrong.object["error"]["where"] == "--only only.csv, line 2"
    assert p2c("plan", "--project", source / "p2c.toml", "--only", "nowhere.csv").code == 2


def test_unchanged_rows_are_sent_only_with_full(p2c: P2c, source: Path, runs: Path) -> None:
    (run,) = runs.iterdir()
    for task in ("Contacts", "ContactToCustomer"):
        loaded = pl.read_parquet(run / "rows" / task / "*.parquet").select(
            "legal_entity", "destination_key", "row_hash"
        )
        (runs / "loaded" / "folder").mkdir(parents=True, exist_ok=True)
        loaded.with_columns(run=pl.lit(run.name), batch=pl.lit(1, pl.Int32)).write_parquet(
            runs / "loaded" / "folder" / f"{task}.parquet"
        )
    again = p2c("run", "--project", source / "p2c.toml", "--runs", runs, "--json")
    assert again.object["outcomes"]["unchanged"] == 8
    assert again.object["outcomes"]["written"] == 0
    assert not list(folder(again).glob("packages/*/*.zip"))
    full = p2c("run", "--project", source / "p2c.toml", "--runs", runs, "--full", "--json")
    assert full.object["outcomes"]["written"] == 8
    assert full.object["outcomes"]["unchanged"] == 0
    assert request(full)["full"] is True


def test_a_key_of_others_is_held_and_taken_over_when_said(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path / "source", contacts=rows()[:2])
    (tmp_path / "source" / "customers.csv").write_text(
        f"CustomerAccount,PartyNumber,dataAreaId\n{number(1)},{number(1)},usmf\n"
    )
    words = (
        "plan",
        "--project",
        project,
        "--set",
        "destination.known_customers=customers.csv",
        "--json",
    )
    held = p2c(*words)
    assert held.object["reasons"] == {"customer/active_customer": 1, "held/takeover": 1}
    taken = p2c(*words, "--take-over")
    assert taken.object["reasons"] == {"customer/active_customer": 2}
    assert actions(taken) == {"create": 1, "update": 1}
    assert request(taken)["take_over"] is True


def test_a_source_and_a_legal_entity_are_enough(p2c: P2c, source: Path, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    for table in ("contacts.csv", "accounts.csv"):
        shutil.copy(source / table, exports)
    answer = p2c(
        "run",
        "--source",
        "exports",
        "--set",
        "destination.legal_entity=usmf",
        "--set",
        "destination.currency=EUR",
        "--json",
    )
    assert answer.code == 1
    assert answer.object["outcomes"]["written"] == 8
    assert {path.name.partition("-")[0] for path in folder(answer).glob("packages/*/*.zip")} == {
        "usmf"
    }


def test_p2c_toml_where_the_user_stands_is_the_project(p2c: P2c, tmp_path: Path) -> None:
    write_small(tmp_path)
    assert p2c("plan", "--json").object["counts"]["customer"] == 5


def test_the_environment_sets_settings(
    p2c: P2c, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2C_DESTINATION_LEGAL_ENTITY", "demf")
    answer = p2c("plan", "--project", source / "p2c.toml", "--json")
    facts = json.loads((folder(answer) / "run.json").read_text())
    assert facts["settings"]["destination.legal_entity"] == {
        "value": "demf",
        "origin": "environment",
    }
    assert set(
        pl.read_parquet(folder(answer) / "decisions.parquet")["legal_entity"].drop_nulls()
    ) == {"demf"}


def test_a_run_is_named_by_its_id_a_prefix_or_latest(p2c: P2c, runs: Path) -> None:
    (run,) = runs.iterdir()
    for name in (run.name, run.name[:-1], "latest"):
        assert (
            p2c("explain", contactid(1), "--run", name, "--runs", runs, "--json").object["run"]
            == run.name
        )
    shutil.copytree(
        run, runs / f"{run.name[:-1]}g".replace("g", "0" if run.name[-1] != "0" else "1")
    )
    wrong = p2c("explain", contactid(1), "--run", run.name[:-1], "--runs", runs)
    assert wrong.code == 2
    assert "2 runs have an id that begins with" in wrong.err


def test_a_plan_against_another_tells_what_changed(p2c: P2c, tmp_path: Path) -> None:
    before = rows()
    project = write_small(tmp_path / "source", contacts=before)
    words = ("plan", "--project", project, "--json")
    p2c(*words)
    same = p2c(*words, "--against", "latest")
    assert same.object["items"] == []
    after = [dict(row) for row in before]
    after[0]["lastname"] = "Another"
    after[1]["msdynce_contactnumber"] = "CON-99999-ABCDEF"
    after[2]["msdynce_isactivecustomer"] = "No"
    after[9]["msdynce_contactnumber"] = number(10)
    new = [{**before[8], "contactid": contactid(20)}]
    write_small(tmp_path / "source", contacts=[*after[:7], *after[8:], *new])
    answer = p2c(*words, "--against", "latest")
    told = {
        (one["change"], one["before"], one["after"], one["example"][-2:])
        for one in answer.object["items"]
    }
    assert told == {
        ("content", "customer/active_customer", "customer/active_customer", "01"),
        ("field", None, None, "01"),
        ("field", None, None, "02"),
        ("key", "customer/active_customer", "customer/active_customer", "02"),
        ("decision", "customer/active_customer", "skipped/no_company", "03"),
        ("decision", "held/contact_number_missing", "customer/active_customer", "10"),
        ("gone", "contact/company_is_account", None, "08"),
        ("new", None, "skipped/no_company", "20"),
    }
    assert all(one["contacts"] == 1 for one in answer.object["items"])
    assert p2c(*words, "--against", "nothing").code == 2


def test_a_source_that_repeats_ids_is_the_same_as_itself(p2c: P2c, tmp_path: Path) -> None:
    again = [
        *rows(),
        rows()[0],
        {**rows()[1], "lastname": "Other"},
        *({**rows()[2], "contactid": "no id"} for _ in range(3)),
    ]
    project = write_small(tmp_path / "source", contacts=again)
    p2c("plan", "--project", project)
    answer = p2c("plan", "--project", project, "--against", "latest")
    assert answer.out.endswith("every contact stands where it stood, with the same values.\n")
