"""What a plan knows of SCM's customers from exports."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.check import check_project
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import SourceError
from pipeline.events import report_nothing
from pipeline.plan import known
from pipeline.plan.customers import list_entities_without
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import Project, load_project
from pipeline.run.files import hash_file
from tests.scenes.small import PROJECT, number, rows, write_small

HEADER = "CUSTOMERACCOUNT,PARTYNUMBER\n"


def project_of(home: Path, setting: str) -> Project:
    return load_project(write_small(home, PROJECT + f"known_customers = {setting}\n"))


def read(project: Project, into: Path) -> pl.DataFrame:
    kept = known.keep_customer_exports(project, into / "kept")
    assert kept is not None
    assert [path.name for path in (into / "kept").iterdir()] == [kept.name]
    return pl.read_parquet(kept)


def write(home: Path, **names: str) -> None:
    (home / "scm").mkdir(parents=True, exist_ok=True)
    for area, account in names.items():
        (home / "scm" / f"{area}.csv").write_text(f"{HEADER}{account},{account}\n")


@pytest.mark.parametrize("setting", ['["scm/usmf.csv", "scm/demf.csv"]', '"scm"'])
def test_a_list_or_a_folder_of_exports_is_one_table(tmp_path: Path, setting: str) -> None:
    write(tmp_path, usmf="A", demf="B")
    text = PROJECT + f'known_customers = {setting}\n[organizations]\n"DE" = "demf"\n'
    found = read(load_project(write_small(tmp_path, text)), tmp_path)
    assert sorted(found.rows()) == [("A", "A", "usmf"), ("B", "B", "demf")]


def test_a_project_without_exports_knows_nothing(tmp_path: Path) -> None:
    project = load_project(write_small(tmp_path))
    assert known.keep_customer_exports(project, tmp_path / "kept") is None
    assert known.hash_customers(project) == known.NO_EXPORT


def test_the_fingerprint_is_of_every_file(tmp_path: Path) -> None:
    write(tmp_path, usmf="A")
    one, folder = (project_of(tmp_path, text) for text in ('"scm/usmf.csv"', '"scm"'))
    assert known.hash_customers(one) == hash_file(tmp_path / "scm" / "usmf.csv")
    before = known.hash_customers(folder)
    write(tmp_path, demf="B")
    assert known.hash_customers(folder) not in (before, known.NO_EXPORT)


def test_a_customer_of_another_legal_entity_holds_nobody_back(tmp_path: Path) -> None:
    (tmp_path / "scm").mkdir()
    text = PROJECT + 'known_customers = "scm"\n[organizations]\n"DE" = "demf"\n'
    project = write_small(tmp_path, text, contacts=rows()[:2])
    write(tmp_path, usmf=number(1), demf=number(2))
    common = Flags(project=project, runs=tmp_path / "runs")
    assert plan_contacts(common, PlanRequest(), report_nothing).summary.reasons == {
        "customer/active_customer": 1,
        "held/takeover": 1,
    }


def test_check_counts_the_customers_and_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, usmf="A")
    common = Flags(project=project_of(tmp_path, '"scm"').file, runs=tmp_path / "runs")
    assert ": 1 customer\n" in check_project(common, report_nothing).lines(100)
    with pytest.raises(SourceError, match=r"gone\.csv: there is no such file"):
        read(project_of(tmp_path, '["scm/usmf.csv", "gone.csv"]'), tmp_path)


@pytest.mark.parametrize("row", ["A,A,wahr", ",,true"])
def test_a_deletion_that_names_nobody_or_cannot_be_read_is_refused(
    tmp_path: Path, row: str
) -> None:
    (tmp_path / "scm").mkdir()
    text = f"CUSTOMERACCOUNT,PARTYNUMBER,IsDelete\nB,B,\n{row}\n"
    (tmp_path / "scm" / "usmf.csv").write_text(text)
    with pytest.raises(SourceError, match="1 row of Customers V2 may be deleted") as caught:
        read(project_of(tmp_path, '"scm"'), tmp_path)
    assert "wahr" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"usmf": "A", "demf": "B"}, None),
        ({"usmf": "A"}, "demf"),
        ({"usmf": "A", "demf": ""}, "demf"),
        ({"usmf": "", "demf": ""}, "usmf, demf"),
    ],
)
def test_legal_entities_without_known_customers_are_told_and_hold_nobody_back(
    tmp_path: Path, files: dict[str, str], told: str | None
) -> None:
    write(tmp_path, **files)
    for area in (area for area, account in files.items() if not account):
        (tmp_path / "scm" / f"{area}.csv").write_text(HEADER)
    text = PROJECT + 'known_customers = "scm"\n[organizations]\n"DE" = "demf"\n'
    project = write_small(tmp_path, text, contacts=rows()[:2])
    common = Flags(project=project, runs=tmp_path / "runs")
    planned = plan_contacts(common, PlanRequest(), report_nothing)
    assert planned.exit_code == 0
    assert ("known_customers_empty" in planned.summary.findings) is (told is not None)
    checked = {one["what"]: one for one in check_project(common, report_nothing).items}
    assert ("known_customers_empty" in checked) is (told is not None)
    if told is not None:
        assert "takes SCM to be empty there" in planned.lines(400)
        assert f"empty there: {told}. " in str(checked["known_customers_empty"]["message"])
        assert checked["known_customers_empty"]["status"] == "note"


def test_a_customer_without_a_legal_entity_is_one_of_every_entity(tmp_path: Path) -> None:
    write(tmp_path, usmf="A")
    project = project_of(tmp_path, '"scm/usmf.csv"')
    kept = known.keep_customer_exports(project, tmp_path / "kept")
    assert kept is not None
    assert list_entities_without(kept, ["usmf"]) == []
