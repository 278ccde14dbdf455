"""``p2c findings`` and ``p2c apply`` say what was refused and why, with counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.commands.answers import describe_run
from pipeline.commands.findings import export_findings
from pipeline.commands.options import Flags
from pipeline.errors import UsageError
from pipeline.run.folder import RunFolder
from tests.scenes.small import CUSTOMERS, PERSONS, contactid

PRIVATE = "Mrs. Lovelace is not welcome"


@pytest.fixture
def refused(run: RunFolder) -> RunFolder:
    """The run, with all contact persons and one customer refused and one customer lost."""
    rows = pl.read_parquet(run.outcomes)
    is_person = pl.col("task") == "Contacts"
    place = pl.int_range(pl.len()).over("task")
    outcome = pl.when(is_person | (place == 0)).then(pl.lit("failed"))
    code = pl.when(is_person).then(pl.lit("refused_reference"))
    rows.with_columns(
        outcome=outcome.when(place == 1).then(pl.lit("unknown")).otherwise(pl.lit("created")),
        code=code.when(place == 0)
        .then(pl.lit("import_failed"))
        .when(place == 1)
        .then(pl.lit("import_stopped")),
        message=pl.lit(PRIVATE),
    ).write_parquet(run.outcomes)
    return run


def listed(common: Flags, run: RunFolder, *codes: str, values: bool = False) -> Any:
    return export_findings(common, str(run.run), to=None, codes=codes, values=values)


def test_what_was_refused_comes_first_with_counts_and_what_to_do(
    common: Flags, refused: RunFolder
) -> None:
    result = listed(common, refused)
    found = [
        (one["outcome"], one["code"], one["task"], one["rows"])
        for one in result.items
        if one["outcome"] is not None
    ]
    assert found == [
        ("failed", "refused_reference", "Contacts", PERSONS),
        ("failed", "import_failed", "ContactToCustomer", 1),
        ("unknown", "import_stopped", "ContactToCustomer", 1),
    ]
    lines = result.text.splitlines()
    assert lines[1].split() == [str(PERSONS), "failed", "refused_reference,", "Contacts"]
    assert "not in the table that it refers to" in lines[2]
    assert "Create the value in SCM" in lines[3]
    assert any(one["outcome"] is None for one in result.items)


def test_a_code_takes_only_the_rows_refused_for_it(common: Flags, refused: RunFolder) -> None:
    assert [one["rows"] for one in listed(common, refused, "refused_reference").items] == [PERSONS]
    assert listed(common, refused, "refused_party").text == "There are no findings."


def test_what_scm_said_of_a_row_is_shown_only_when_it_is_asked_for(
    common: Flags, refused: RunFolder, tmp_path: Path
) -> None:
    assert PRIVATE not in listed(common, refused).text
    assert PRIVATE in listed(common, refused, values=True).text
    for values, holds in ((False, False), (True, True)):
        to = tmp_path / f"{values}.csv"
        export_findings(common, str(refused.run), to=to, codes=(), values=values)
        assert (PRIVATE in to.read_text()) is holds


def test_an_export_has_one_row_per_refused_row_with_its_place(
    common: Flags, refused: RunFolder, tmp_path: Path
) -> None:
    to = tmp_path / "refused.parquet"
    export_findings(common, str(refused.run), to=to, codes=["import_failed"], values=False)
    assert pl.read_parquet(to).select(
        "contactid", "decision", "task", "outcome", "code", "severity", "source_file", "source_line"
    ).rows() == [
        (
            contactid(1), "customer", "ContactToCustomer", "failed", "import_failed", "error",
            "contacts.csv", 2,
        )
    ]  # fmt: skip
    whole = tmp_path / "whole.parquet"
    export_findings(common, str(refused.run), to=whole, codes=(), values=False)
    assert pl.read_parquet(whole).height == pl.read_parquet(refused.findings).height + PERSONS + 2


def test_apply_prints_the_causes_with_counts(common: Flags, refused: RunFolder) -> None:
    text = describe_run("apply", refused).lines(100)
    block = text[text.index("Not accepted") :].split("\n\n")[0].splitlines()
    assert block[1].split() == [str(PERSONS), "failed", "refused_reference:", "Contacts"]
    assert block[-1].strip() == f"Each row: p2c findings {refused.run} --runs {common.runs}"
    assert PRIVATE not in text


def test_a_run_of_which_nothing_was_refused_has_no_such_block(run: RunFolder) -> None:
    assert "Not accepted" not in describe_run("apply", run).lines(100)


def test_outcomes_that_cannot_be_read_are_not_told_as_no_findings(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    run.outcomes.write_bytes(run.outcomes.read_bytes()[:100])
    with pytest.raises(UsageError, match=r"outcomes\.parquet cannot be read"):
        listed(common, run, "refused_reference")
    run.outcomes.unlink()
    with pytest.raises(UsageError, match=r"outcomes\.parquet is missing"):
        export_findings(common, str(run.run), to=tmp_path / "a.csv", codes=(), values=False)


def test_the_rows_of_the_small_run_are_those_that_the_counts_are_about(run: RunFolder) -> None:
    assert pl.read_parquet(run.outcomes)["task"].value_counts().sort("task").rows() == [
        ("ContactToCustomer", CUSTOMERS),
        ("Contacts", PERSONS),
    ]
