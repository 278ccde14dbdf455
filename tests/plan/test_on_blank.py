"""``on_blank = "keep"``: an update without a value leaves what SCM has."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.apply import apply_run
from pipeline.commands.confirm import confirm_import
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import ConfigurationError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.folder import RunFolder
from tests.scenes.small import PROJECT, number, rows, write_small

KEEP = """
[tasks.ContactToCustomer.fields.PrimaryContactEmail]
on_blank = "keep"
"""


@pytest.fixture
def loaded(common: Flags, run: RunFolder) -> str:
    """The small source is in SCM: five customers, three contact persons; the run that did it."""
    confirm_import(common, str(run.run), errors=(), packages=())
    return str(run.run)


def plan(home: Path, common: Flags, project: str) -> RunFolder:
    """A plan in which the second customer has no mail, and all have other names."""
    contacts = [row | {"lastname": f"Other{row['lastname'][:5]}"} for row in rows()[:-1]]
    contacts[1]["emailaddress1"] = ""
    write_small(home / "source", project, contacts)
    made = plan_contacts(common, PlanRequest(), report_nothing, None)
    return RunFolder(Path(str(made.folder)))


def codes(run: RunFolder) -> set[str]:
    return set(pl.read_parquet(run.findings)["code"])


def read_data(path: Path) -> list[list[str]]:
    """The data file of a package: header and rows."""
    with zipfile.ZipFile(path) as file:
        text = file.read("Customers V2.csv").decode("utf-16")
    return list(csv.reader(io.StringIO(text)))


def test_without_the_setting_a_blank_clears_and_that_is_told(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    assert "would_clear" in codes(plan(home, common, PROJECT))


def test_a_kept_field_is_no_change(home: Path, common: Flags, loaded: str) -> None:
    del loaded
    run = plan(home, common, PROJECT + KEEP)
    assert "would_clear" not in codes(run)
    changes = pl.read_parquet(run.changes).filter(pl.col("task") == "ContactToCustomer")
    assert set(changes["column"]) == {"PersonLastName"}


def test_a_package_leaves_out_the_columns_that_its_rows_keep(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    run = plan(home, common, PROJECT + KEEP)
    apply_run(common, str(run.run), report_nothing)
    folder = run.packages / "ContactToCustomer"
    packages = {path.name: read_data(path) for path in sorted(folder.glob("*.zip"))}
    found = {
        row[table[0].index("CUSTOMERACCOUNT")]: "PRIMARYCONTACTEMAIL" in table[0]
        for table in packages.values()
        for row in table[1:]
    }
    assert found == {number(place): place != 2 for place in range(1, 6)}
    batches = pl.read_parquet(run.batches).filter(pl.col("task") == "ContactToCustomer")
    assert batches["rows"].to_list() == [2, 1, 2]
    assert "packages_split" not in codes(run)


def test_more_packages_than_without_the_setting_are_told(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    run = plan(home, common, PROJECT.replace("batch_rows = 2", "batch_rows = 5") + KEEP)
    found = pl.read_parquet(run.findings).filter(pl.col("code") == "packages_split")
    assert found["column"].to_list() == ["ContactToCustomer"]
    assert "go in 2 packages" in found["message"][0]


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("CustomerAccount", "a key is never blank"),
        ("CustomerGroupId", "the default fills blanks, so on_blank never applies"),
    ],
)
def test_a_field_that_is_never_blank_cannot_keep(
    home: Path, common: Flags, field: str, sentence: str
) -> None:
    text = f'[tasks.ContactToCustomer.fields.{field}]\non_blank = "keep"\n'
    with pytest.raises(ConfigurationError, match=sentence):
        plan(home, common, PROJECT + text)
