"""``check`` finds what a plan would stumble over, or silently do without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.command_line import Answer, P2c
from tests.scenes.places import SAMPLES
from tests.scenes.small import PROJECT, write_small


def messages(answer: Answer, what: str) -> list[tuple[str, str]]:
    return [
        (one["status"], one["message"]) for one in answer.object["items"] if one["what"] == what
    ]


def test_a_misspelled_header_of_a_mapped_column_shows(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path)
    before = messages(p2c("check", "--project", project, "--json"), "source folder")
    contacts = project.with_name("contacts.csv")
    contacts.write_text(
        contacts.read_text(encoding="utf-8").replace("firstname", "frstname", 1), encoding="utf-8"
    )
    after = messages(p2c("check", "--project", project, "--json"), "source folder")
    told = "contacts: FirstName and PersonFirstName stay blank in 11 rows."
    assert [one for one in after if one not in before] == [
        ("note", f"firstname is not in the table {told}")
    ]


def test_a_filter_is_tried(p2c: P2c, tmp_path: Path) -> None:
    right, wrong = (
        PROJECT.replace('path = "."', f'path = "."\nfilter = "{text}"')
        for text in ("lastname <> ''", "lastnme <> ''")
    )
    assert (
        messages(
            p2c("check", "--project", write_small(tmp_path, right), "--json"), "source.filter"
        )[0][0]
        == "ok"
    )
    answer = p2c("check", "--project", write_small(tmp_path, wrong), "--json")
    assert (answer.code, answer.object["error"]["where"]) == (2, "source.filter")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_source_with_all_columns_and_no_filter_says_neither(
    p2c: P2c, words: tuple[str, ...]
) -> None:
    samples = SAMPLES / "p2c.toml"
    out = p2c("check", "--project", samples, *words).out
    assert "is not in the table" not in out
    assert "source.filter" not in out


def test_plan_findings_and_report_name_what_was_not_read(p2c: P2c, tmp_path: Path) -> None:
    project = write_small(tmp_path, PROJECT)
    (tmp_path / "orders.csv").write_text("x\n")
    (tmp_path / "accounts_old.csv").write_text("x\n")
    only = tmp_path / "only.csv"
    only.write_text("contactid\n00000000-0000-0000-0000-000000000001\n")
    planned = p2c("plan", "--project", project, "--only", only).out
    first, _, rest = planned.partition("Look first")[2].partition("\n\n")
    assert "2 warning  file_ignored: accounts_old.csv, orders.csv\n" in first
    assert "column_missing: address1_city, address1_line1," in first
    assert "file_ignored" not in rest
    assert "file_ignored, orders.csv\n" in p2c("findings", "latest").out
    p2c("report", "latest", "--to", "report.html")
    page = Path("report.html").read_text(encoding="utf-8")
    assert "orders.csv; name it salesorders.csv if it holds that table." in page
    checked = p2c("check", "--project", project)
    assert checked.code == 1
    assert "warning  source orders.csv: The source holds something that was not read" in checked.out
    assert "only.csv" in checked.out, "check does not know what --only will name"
    assert "only.csv" not in planned
