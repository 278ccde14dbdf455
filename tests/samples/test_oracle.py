"""The samples end to end, held against an oracle derived by hand from the rules, not from a run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.samples.expected import Expected, expect_rows
from pipeline.samples.generate import write_samples
from schemas.contracts import make_decisions_contract, make_findings_contract
from tests.scenes.places import SAMPLES

PROJECT = SAMPLES / "p2c.toml"
EXPECTED = [one for one in expect_rows() if one.is_contact]
CASES = [one for one in EXPECTED if not one.is_ordinary]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    runs = tmp_path_factory.mktemp("runs")
    return plan_and_apply(
        Flags(project=PROJECT, runs=runs), PlanRequest(command="run"), report_nothing
    )


@pytest.fixture(scope="module")
def decided(result: Result) -> list[dict[str, object]]:
    return pl.read_parquet(f"{result.folder}/decisions.parquet").to_dicts()


@pytest.fixture(scope="module")
def found(result: Result) -> dict[tuple[str, int], set[str]]:
    frame = pl.read_parquet(f"{result.folder}/findings.parquet").filter(
        pl.col("source_file").is_not_null()
    )
    codes: dict[tuple[str, int], set[str]] = {}
    for file, line, code in frame.select("source_file", "source_line", "code").iter_rows():
        codes.setdefault((file, line), set()).add(code)
    return codes


def test_there_are_far_more_than_thirty_cases_checked_by_hand() -> None:
    assert len(CASES) > 200


def test_every_contact_has_one_decision_in_source_order(decided: list[dict[str, object]]) -> None:
    assert [row["contactid"] for row in decided] == [one.contactid for one in EXPECTED]


@pytest.mark.parametrize(
    ("place", "expected"), list(enumerate(EXPECTED)), ids=lambda one: getattr(one, "case", "")
)
def test_a_contact_ends_where_the_rules_say(
    place: int,
    expected: Expected,
    decided: list[dict[str, object]],
    found: dict[tuple[str, int], set[str]],
) -> None:
    row = decided[place]
    assert (row["decision"], row["reason"]) == (expected.decision, expected.reason)
    codes = found.get((str(row["source_file"]), int(str(row["source_line"]))), set()) - {
        expected.reason
    }
    assert codes - expected.may == set(expected.findings) - expected.may


def test_the_equations_balance_and_every_planned_row_is_written(result: Result) -> None:
    facts = result.summary
    assert facts.balanced
    assert facts.verdict == "attention"
    assert result.exit_code == 1
    assert facts.outcomes["written"] == facts.counts["customer"] + facts.counts["contact"]
    assert facts.outcomes["pending"] == 0
    terms = facts.equations[0].terms
    assert terms["superseded"] == sum(one.decision == "superseded" for one in expect_rows())
    assert terms["deleted"] == sum(one.decision == "deleted" for one in expect_rows())


def test_the_run_folder_keeps_its_contracts(result: Result) -> None:
    decisions = pl.read_parquet(f"{result.folder}/decisions.parquet")
    findings = pl.read_parquet(f"{result.folder}/findings.parquet")
    make_decisions_contract().validate(decisions)
    make_findings_contract().validate(findings)
    counted = Counter[str](findings["code"].to_list())
    for one in result.summary.counted:  # One finding of the run is about many rows.
        counted[one.code] += max(one.rows, 1) - 1
    assert counted == result.summary.findings


def test_messages_never_hold_the_value(result: Result) -> None:
    findings = pl.read_parquet(f"{result.folder}/findings.parquet").filter(
        pl.col("contactid").is_not_null()
    )
    telling = findings.filter(pl.col("value").str.len_chars() > 5)
    assert telling.height > 50
    shown = telling.filter(pl.col("message").str.contains(pl.col("value"), literal=True))
    assert shown.filter(pl.col("code") != "contact_number_repeated").is_empty()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_second_run_and_another_morsel_size_give_equal_rows_and_packages(
    tmp_path: Path, form: str
) -> None:
    folder = tmp_path / "samples"
    write_samples(folder, form="csv" if form == "csv" else "parquet")
    results = []
    for name, morsel in (("a", "131072"), ("b", "131072"), ("c", "61"), ("d", "512")):
        common = Flags(
            project=folder / "p2c.toml",
            runs=tmp_path / name,
            assignments=(f"run.morsel_rows={morsel}",),
        )
        results.append(
            Path(str(plan_and_apply(common, PlanRequest(command="run"), report_nothing).folder))
        )
    first = results[0]
    packages = sorted(path.relative_to(first) for path in first.glob("packages/*/*.zip"))
    assert packages
    for other in results[1:]:
        assert (
            sorted(path.relative_to(other) for path in other.glob("packages/*/*.zip")) == packages
        )
        for package in packages:
            assert (other / package).read_bytes() == (first / package).read_bytes()
        for table in (
            "decisions.parquet",
            "findings.parquet",
            "rows/Contacts",
            "rows/ContactToCustomer",
        ):
            assert pl.read_parquet(other / table).equals(pl.read_parquet(first / table)), table
