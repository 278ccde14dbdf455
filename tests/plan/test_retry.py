"""A retry plans what was held, rejected or failed, and nothing twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import apply_run, plan_and_apply
from pipeline.commands.confirm import confirm_import
from pipeline.commands.findings import write_repair_file
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.retry import retry_run
from pipeline.commands.verify import verify_run
from pipeline.errors import P2cError, SourceError, UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.files import try_lock
from pipeline.run.folder import RunFolder, find_run, find_runs
from tests.scenes.json_files import read_json
from tests.scenes.small import contactid, number, rows, write_small

REJECTED, HELD = contactid(11), contactid(10)


def retry(
    common: Flags, run: RunFolder, correction: Path | None = None, codes: tuple[str, ...] = ()
) -> RunFolder:
    result = retry_run(
        common, str(run.run), correction=correction, codes=codes, listener=report_nothing
    )
    return find_run(common.runs, result.summary.run)


def decisions(run: RunFolder) -> dict[str, str]:
    frame = pl.read_parquet(run.decisions)
    return dict(frame.select("contactid", pl.format("{}/{}", "decision", "reason")).iter_rows())


def planned_rows(run: RunFolder) -> pl.DataFrame:
    parts = [pl.read_parquet(path) for path in sorted(run.path.glob("rows/*/*.parquet"))]
    return pl.concat(parts, how="diagonal").drop("batch").sort("contactid")


def corrected(common: Flags, run: RunFolder, path: Path, **values: dict[str, str]) -> Path:
    """The repair file with some values put right: contactid's last digits → column → value."""
    write_repair_file(common, str(run.run), to=path)
    frame = pl.read_csv(path, infer_schema=False)
    for short, columns in values.items():
        for column, value in columns.items():
            mine = pl.col("contactid").str.ends_with(short.removeprefix("c"))
            frame = frame.with_columns(
                pl.when(mine).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
            )
    frame.write_csv(path)
    return path


def test_what_a_retry_is_made_from_is_on_the_disk_before_it_is_planned(
    common: Flags, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut leaves a plan whose corrected rows are gone."""
    flushed, flush = list[Path](), os.fsync

    def watched(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").resolve())
        flush(handle)

    path = corrected(common, run, tmp_path / "repaired.csv")
    monkeypatch.setattr(os, "fsync", watched)
    made = retry(common, run, path)
    (place,) = (common.runs.resolve() / "retries").iterdir()
    source = place / "source"
    needed = {place, source, source / "contacts", source / "contacts" / "corrected-1.csv"}
    first = next(number for number, one in enumerate(flushed) if made.run in str(one))
    assert needed <= {*flushed[:first]}


def test_what_killed_retries_left_goes_unless_a_run_was_made_from_it(
    common: Flags, run: RunFolder
) -> None:
    retry(common, run)
    (used,) = (common.runs / "retries").iterdir()
    assert [path.name for path in used.iterdir()] == ["only.csv"]
    places = {name: common.runs / "retries" / f"{run.run}-{name}" for name in ("left", "held")}
    places["used"] = used
    for place in places.values():
        place.mkdir(exist_ok=True)
        (place / ".making.lock").touch()
    with try_lock(places["held"] / ".making.lock"):
        retry(common, run)
        assert {name for name, place in places.items() if place.is_dir()} == {"used", "held"}


def test_only_what_was_held_or_rejected_is_planned_again(common: Flags, run: RunFolder) -> None:
    made = retry(common, run)
    found = decisions(made)
    assert found.pop(HELD) == "held/contact_number_missing"
    assert found.pop(REJECTED) == "rejected/too_long"
    assert set(found.values()) == {"skipped/not_selected"}
    assert planned_rows(made).is_empty()
    for path in (made.run_json, made.summary):
        facts = read_json(path)
        assert (facts["kind"], facts["retry_of"]) == ("retry", str(run.run)), path.name
    assert verify_run(common, str(made.run)).exit_code == 0


def test_what_was_put_right_in_the_source_goes_on(
    common: Flags, run: RunFolder, home: Path
) -> None:
    mended = [
        row | ({"lastname": "Short"} if row["contactid"] == REJECTED else {}) for row in rows()
    ]
    write_small(home / "source", contacts=mended)
    made = retry(common, run)
    assert planned_rows(made)["contactid"].to_list() == [REJECTED]
    apply_run(common, str(made.run), report_nothing)
    again = retry(common, made)
    assert planned_rows(again).is_empty()


def test_a_corrected_file_supersedes_the_rows_it_corrects(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    file = corrected(
        common,
        run,
        tmp_path / "r.csv",
        c11={"lastname": "Short"},
        c10={"msdynce_contactnumber": number(10)},
    )
    made = retry(common, run, file)
    assert planned_rows(made)["contactid"].to_list() == [HELD, REJECTED]
    terms = read_json(made.summary)["equations"][0]["terms"]
    assert (terms["contacts"], terms["superseded"]) == (11, 2)
    places = pl.read_parquet(made.decisions).filter(pl.col("contactid") == REJECTED)
    assert places["source_file"].to_list() == ["contacts/corrected-1.csv"]
    assert (common.runs.parent / "source" / "contacts.csv").read_text().count("\n") == 12


def test_the_same_retry_twice_plans_the_same(common: Flags, run: RunFolder, tmp_path: Path) -> None:
    file = corrected(common, run, tmp_path / "r.csv", c11={"lastname": "Short"})
    first, second = retry(common, run, file), retry(common, run, file)
    assert planned_rows(first).equals(planned_rows(second))
    assert planned_rows(first).height == 1


def test_a_correction_of_a_correction_wins(common: Flags, run: RunFolder, tmp_path: Path) -> None:
    first = retry(
        common, run, corrected(common, run, tmp_path / "1.csv", c11={"lastname": "M" * 30})
    )
    assert decisions(first)[REJECTED] == "rejected/too_long"
    second = retry(
        common, first, corrected(common, first, tmp_path / "2.csv", c11={"lastname": "Short"})
    )
    assert planned_rows(second)["PersonLastName"].to_list() == ["Short"]


def test_rows_that_scm_refused_are_planned_and_those_it_took_are_not(
    common: Flags, run: RunFolder, tmp_path: Path
) -> None:
    errors = tmp_path / "e.csv"
    errors.write_text(f"CustomerAccount\n{number(3)}\n")
    confirm_import(common, str(run.run), errors=[errors], packages=())
    made = retry(common, run)
    assert planned_rows(made)["contactid"].to_list() == [contactid(3)]
    by_code = retry(common, run, codes=("import_failed",))
    assert planned_rows(by_code)["contactid"].to_list() == [contactid(3)]
    assert decisions(by_code)[HELD] == "skipped/not_selected"


def test_a_code_chooses_contacts_by_their_reason(common: Flags, run: RunFolder) -> None:
    made = retry(common, run, codes=("too_long",))
    assert decisions(made)[REJECTED] == "rejected/too_long"
    assert decisions(made)[HELD] == "skipped/not_selected"


def test_flags_of_the_first_plan_need_not_be_said_again(tmp_path: Path) -> None:
    write_small(tmp_path / "source")
    (tmp_path / "source" / "p2c.toml").rename(tmp_path / "elsewhere.toml")
    given = Flags(
        source=tmp_path / "source",
        runs=tmp_path / "runs",
        assignments=("destination.legal_entity=demf",),
    )
    plan_contacts(given, PlanRequest(), report_nothing)
    made = retry(Flags(runs=tmp_path / "runs"), find_runs(tmp_path / "runs")[0])
    assert read_json(made.run_json)["settings"]["destination.legal_entity"]["value"] == "demf"


def test_when_there_is_nothing_to_retry_no_plan_is_made(tmp_path: Path) -> None:
    project = write_small(tmp_path / "source", contacts=rows()[:8])
    common = Flags(project=project, runs=tmp_path / "runs")
    plan_and_apply(common, PlanRequest(command="run"), report_nothing)
    result = retry_run(common, "latest", correction=None, codes=(), listener=report_nothing)
    assert str(result.text) == "There is nothing to retry."
    assert result.exit_code == 0
    assert len(find_runs(tmp_path / "runs")) == 1


Form = Callable[[Path], None]


def as_lines(csv: Path) -> None:
    pl.read_csv(csv, infer_schema=False).write_ndjson(csv.with_suffix(".jsonl"))


def as_pages(csv: Path) -> None:
    value = json.loads(pl.read_csv(csv, infer_schema=False).write_json())
    csv.with_suffix(".json").write_text(json.dumps({"value": value}))


def as_parquet(csv: Path) -> None:
    frame = pl.read_csv(csv, infer_schema=False)
    versions = frame.with_columns(
        versionnumber=pl.lit(5, pl.Int64),
        msdynce_isactivecustomer=pl.col("msdynce_isactivecustomer") == "Yes",
    )
    versions.write_parquet(csv.with_suffix(".parquet"))


@pytest.mark.parametrize("form", [as_lines, as_pages, as_parquet])
def test_a_corrected_file_is_laid_over_every_form_of_source(tmp_path: Path, form: Form) -> None:
    project = write_small(tmp_path / "source")
    form(tmp_path / "source" / "contacts.csv")
    (tmp_path / "source" / "contacts.csv").unlink()
    common = Flags(project=project, runs=tmp_path / "runs")
    plan_contacts(common, PlanRequest(), report_nothing)
    run = find_runs(tmp_path / "runs")[0]
    file = corrected(common, run, tmp_path / "r.csv", c11={"lastname": "Short"})
    made = retry(common, run, file)
    assert planned_rows(made)["contactid"].to_list() == [REJECTED]
    assert planned_rows(made)["PersonLastName"].to_list() == ["Short"]


def test_a_corrected_value_of_another_type_is_named_by_its_column_and_not_shown(
    tmp_path: Path,
) -> None:
    project = write_small(tmp_path / "source")
    as_parquet(tmp_path / "source" / "contacts.csv")
    (tmp_path / "source" / "contacts.csv").unlink()
    common = Flags(project=project, runs=tmp_path / "runs")
    plan_contacts(common, PlanRequest(), report_nothing)
    run = find_runs(tmp_path / "runs")[0]
    wrong = {"msdynce_isactivecustomer": "Ada Lovelace"}
    file = corrected(common, run, tmp_path / "r.csv", c11=wrong)
    with pytest.raises(SourceError, match=r"msdynce_isactivecustomer: a value is not") as raised:
        retry(common, run, file)
    assert "Ada" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("contactid,firstname\n", SourceError, "msdynce_contactnumber"),
        (
            (
                "contactid,msdynce_contactnumber,msdynce_isactivecustomer,parentcustomerid,"
                "firstname\n,,,,Ada\n"
            ),
            SourceError,
            "lacks columns that the source has: .*lastname",
        ),
    ],
)
def test_a_corrected_file_that_would_lose_values_is_refused_and_leaves_nothing(
    common: Flags, run: RunFolder, tmp_path: Path, text: str, error: type[P2cError], says: str
) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(error, match=says):
        retry(common, run, tmp_path / "r.csv")
    assert list((common.runs / "retries").iterdir()) == []
    with pytest.raises(UsageError, match="there is no file"):
        retry(common, run, tmp_path / "none.csv")
