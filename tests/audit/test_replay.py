"""A plan that is made again from its run folder comes out the same, or says why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl

from pipeline.audit.replay import compare_with_folder
from pipeline.events import report_nothing
from pipeline.run.facts import Setting
from pipeline.run.files import hash_file
from pipeline.run.folder import RunFolder, find_runs
from tests.scenes.command_line import P2c, p2c
from tests.scenes.small import CONTACTS, PROJECT, contactid, number, rows, write_small

__all__ = ["p2c"]

KNOWN = 'known_customers = "known.csv"\n'
SAME = "Every decision, row and package is as in the run folder. Nothing was sent."


def take_hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}


def write_known(source: Path, *accounts: str) -> None:
    lines = [f"{one},{one},usmf" for one in accounts]
    text = "\n".join(["CUSTOMERACCOUNT,PARTYNUMBER,DATAAREAID", *lines, ""])
    (source / "known.csv").write_text(text, encoding="utf-8")


def test_a_run_comes_out_the_same_and_its_folder_is_only_read(p2c: P2c, run: RunFolder) -> None:
    before = take_hashes(run.path)
    found = p2c("replay", run.path)
    assert found.code == 0, found.out
    assert found.out.splitlines() == [
        f"Run {run.run} was made again: 11 contacts, 8 planned rows, 5 packages.",
        SAME,
    ]
    assert take_hashes(run.path) == before
    assert p2c("verify", run.path).code == 0


def test_a_plan_is_made_again_with_what_was_known_then(p2c: P2c, tmp_path: Path) -> None:
    """The memory of loads, the export of customers and --only may change or go afterwards."""
    source = write_small(tmp_path / "source", PROJECT + KNOWN).parent
    project = ("--project", source / "p2c.toml")
    write_known(source, "ACC-01000-ABCDEF", number(5))
    assert p2c("run", *project).code == 1
    first = find_runs(Path("runs"))[0]
    assert p2c("confirm", first.run).code == 1
    contacts = rows()
    contacts[0]["firstname"] = "Changed"
    write_small(source, PROJECT + KNOWN, contacts)
    write_known(source, "ACC-01000-ABCDEF", *(number(place) for place in range(1, 6)))
    only = tmp_path / "only.txt"
    only.write_text("\n".join([*(contactid(place) for place in range(1, 9)), number(5)]))
    assert p2c("plan", *project, "--only", only).code == 1
    plan = find_runs(Path("runs"))[-1]
    actions = pl.read_parquet(plan.rows_files("ContactToCustomer"))["action"].to_list()
    assert sorted(actions) == ["unchanged", "unchanged", "unchanged", "update"]
    shutil.rmtree("runs/loaded")
    for path in (only, source / "known.csv", source / CONTACTS):
        path.unlink()
    found = p2c("replay", plan.run)
    assert found.code == 0, found.out
    assert "11 contacts, 7 planned rows." in found.out
    assert "Every decision and planned row is as in the run folder." in found.out


def test_what_comes_out_otherwise_is_counted_with_an_example(
    run: RunFolder, tmp_path: Path
) -> None:
    facts = run.facts()
    other = {
        "destination.currency": Setting(value="USD", origin="--set"),
        "source.filter": Setting(value="lastname <> 'Number8'", origin="--set"),
    }
    otherwise = facts.replace(settings={**facts.settings, **other})
    (tmp_path / "again").mkdir()
    found = compare_with_folder(run, otherwise, tmp_path / "again", report_nothing)
    compared = {one.noun: (one.total, one.differing, one.example) for one in found.compared}
    assert compared["contact"] == (11, 1, contactid(8))
    assert compared["planned row"] == (8, 6, contactid(1))
    assert compared["package"] == (5, 4, "ContactToCustomer/usmf-1")
    assert {(one["change"], one["column"], one["contacts"]) for one in found.changes} == {
        ("decision", None, 1),
        ("content", None, 5),
        ("field", "ContactToCustomer.SalesCurrencyCode", 5),
    }
    assert not found.is_same


def test_a_package_with_other_content_differs(run: RunFolder, tmp_path: Path) -> None:
    one, another = (run.packages / "ContactToCustomer" / f"usmf-{place}.zip" for place in (1, 2))
    shutil.copyfile(another, one)
    (tmp_path / "again").mkdir()
    found = compare_with_folder(run, run.facts(), tmp_path / "again", report_nothing)
    assert [(each.noun, each.example) for each in found.compared if each.differing] == [
        ("package", "ContactToCustomer/usmf-1")
    ]


def test_what_is_not_there_any_more_is_said(p2c: P2c, tmp_path: Path, run: RunFolder) -> None:
    plans = tmp_path / "plans"
    source = write_small(tmp_path / "parquet").parent
    pl.read_csv(source / CONTACTS).write_parquet(source / "contacts.parquet")
    (source / CONTACTS).unlink()
    assert p2c("plan", "--project", source / "p2c.toml", "--runs", plans).code == 1
    pl.read_parquet(source / "contacts.parquet").head(3).write_parquet(source / "contacts.parquet")
    found = p2c("replay", "latest", "--runs", plans)
    assert found.code == 1
    assert f"contacts.parquet is not as the run read it: {source / 'contacts.parquet'}." in (
        found.out
    )
    assert p2c("purge", run.run, "--older-than", "0", "--yes", "--runs", run.path.parent).code == 0
    found = p2c("replay", run.path)
    assert found.code == 1
    assert "The contacts that were read are not in the run folder any more." in found.out


def test_what_cannot_be_replayed_is_refused(p2c: P2c, tmp_path: Path, run: RunFolder) -> None:
    source = write_small(tmp_path / "more").parent
    assert p2c("backfill", "--project", source / "p2c.toml", "--runs", tmp_path / "fill").code == 0
    until = ("--code", "takeover", "--until", "2999-12-31", "--why", "x")
    for words in (("replay",), ("retry",), ("accept", *until), ("findings", "--repair", "r.csv")):
        found = p2c(words[0], "latest", "--runs", tmp_path / "fill", *words[1:])
        assert (found.code, "is a backfill. Only" in found.err) == (2, True), found.err
    run.decisions.write_bytes(run.decisions.read_bytes()[:-1] + b"x")
    found = p2c("replay", run.path)
    assert (found.code, "the run folder was altered" in found.err) == (4, True), found.err
