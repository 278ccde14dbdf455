"""A backfill whose files were imported is undone by a later export.

What it wrote and nobody changed gets its values back.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.app import main
from pipeline.run.folder import RunFolder
from tests.backfill.test_planning import contact, counter, document, guid
from tests.scenes.json_files import read_json

Rows = list[dict[str, Any]]
CONTACTS: Rows = [
    contact(1, msdynce_isactivecustomer="No"),
    contact(2),
    contact(3, msdynce_contactnumber="CON-00002-AAAAAA"),
    contact(4),
    contact(5),
    contact(6, msdynce_contactnumber="CON-00003-AAAAAA", msdynce_isactivecustomer="Yes"),
]
QUOTES = [document("quotes", 1, guid(1)), document("quotes", 2, guid(3))]


def write(folder: Path, **tables: Rows) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def p2c(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = main([*map(str, words), "--json"])
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, printed


def imported(rows: Rows, folder: Path) -> Rows:
    """The contacts as Sales has them once every file was imported."""
    changed = {str(row["contactid"]): dict(row) for row in rows}
    for path in sorted(folder.glob("*-contacts-*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                changed[row["contactid"]] |= row
    return list(changed.values())


@pytest.fixture
def applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> RunFolder:
    """A backfill that left its files."""
    source = write(
        tmp_path / "first", contacts=CONTACTS, quotes=QUOTES, msdynce_p2cautonumbers=[counter()]
    )
    _, made = p2c(capsys, "backfill", "--source", source, "--runs", tmp_path / "runs")
    code, _ = p2c(capsys, "apply", made["run"], "--source", source, "--runs", tmp_path / "runs")
    assert code == 0
    return RunFolder(Path(made["folder"]))


def test_what_was_imported_gets_its_values_back_and_the_counter_stays(
    applied: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    since = imported(CONTACTS, applied.path / "import")
    assert all(row["msdynce_contactnumber"] for row in since), "the files fill in every number"
    since[3]["msdynce_contactnumber"] = "CON-77777-ZZZZZZ"
    export = write(
        tmp_path / "since", contacts=[row for row in since if row["contactid"] != guid(5)]
    )
    runs = ("--runs", tmp_path / "runs")
    code, pack = p2c(capsys, "undo", applied.run, "--source", export, *runs)
    assert code == 1
    assert pack["findings"] == {"changed_since_run": 1, "gone_from_sales": 1}
    assert pack["outcomes"]["pending"] == 3
    code, done = p2c(capsys, "apply", pack["run"], *runs)
    assert (code, done["outcomes"]["written"]) == (1, 3)
    folder = RunFolder(Path(pack["folder"]))
    names = sorted(path.name for path in (folder.path / "import").iterdir())
    assert names == [
        "2-contacts-number.csv",
        "3-contacts-number-and-flag.csv",
        "4-contacts-flag.csv",
        "README.txt",
    ]
    assert "empty cell" in (folder.path / "import" / "README.txt").read_text(encoding="utf-8")
    back = {row["contactid"]: row for row in imported(since, folder.path / "import")}
    for row in CONTACTS:
        if row["contactid"] not in (guid(4), guid(5)):
            assert {name: str(value) for name, value in back[row["contactid"]].items()} == {
                name: str(value) for name, value in row.items()
            }
    assert back[guid(4)]["msdynce_contactnumber"] == "CON-77777-ZZZZZZ"
    for command in ("verify", "report"):
        assert p2c(capsys, command, pack["run"], *runs)[0] == 0
    assert [path.name for path in (tmp_path / "runs").iterdir() if path.name.startswith(".")] == []


def test_what_was_never_imported_needs_no_undo(
    applied: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, pack = p2c(capsys, "undo", applied.run, "--runs", tmp_path / "runs")
    assert (code, pack["outcomes"]["pending"], pack["findings"]) == (0, 0, {})
    code, refused = p2c(capsys, "apply", pack["run"], "--runs", tmp_path / "runs")
    assert code == 2
    assert "nothing that p2c can take back" in refused["error"]["message"]


def test_an_export_that_is_not_there_is_said_and_nothing_is_left(
    applied: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, refused = p2c(
        capsys, "undo", applied.run, "--source", tmp_path / "nowhere", "--runs", tmp_path / "runs"
    )
    assert code == 2
    assert "nowhere" in json.dumps(refused)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [str(applied.run)]
    assert read_json(applied.summary)["applied"]
