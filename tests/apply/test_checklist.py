"""The checklist beside the packages: each once, in its legal entity, with the command after it."""

from __future__ import annotations

import re

import polars as pl
import pytest

from pipeline.audit.verify import verify_folder
from pipeline.commands.confirm import confirm_import
from pipeline.commands.options import Flags
from pipeline.load.packages.checklist import NAME, render_checklist
from pipeline.run.folder import RunFolder
from schemas.run import BATCHES
from tests.scenes.small import rows


def batches(*packages: tuple[str, str, int]) -> pl.DataFrame:
    found = [
        {
            **dict.fromkeys(BATCHES.names()),
            "task": task,
            "legal_entity": entity,
            "batch": batch,
            "rows": 1000,
            "file": f"packages/{task}/{entity}-{batch}.zip",
            "sha256": "ab" * 32,
        }
        for task, entity, batch in packages
    ]
    return pl.DataFrame(found, schema=BATCHES)


def test_every_package_of_a_run_is_listed_with_a_command_that_confirms_it(
    common: Flags, run: RunFolder
) -> None:
    text = (run.packages / NAME).read_text(encoding="utf-8")
    files = re.findall(r"\[ \] \d+\. (\S+)", text)
    there = {one.relative_to(run.packages).as_posix() for one in run.packages.glob("*/*.zip")}
    assert len(files) == len(there)
    assert set(files) == there
    for file in files:
        name = file.removesuffix(".zip")
        assert f"p2c confirm {run.run} --package {name}\n" in text
        confirm_import(common, str(run.run), errors=(), packages=[name])
    assert set(pl.read_parquet(run.batches)["status"]) == {"confirmed"}


def test_the_checklist_has_no_values_and_is_vouched_for(run: RunFolder) -> None:
    path = run.packages / NAME
    text = path.read_text(encoding="utf-8")
    values = [row[name] for row in rows() for name in ("lastname", "emailaddress1")]
    assert not any(value in text for value in values)
    assert verify_folder(run).exit_code == 0
    path.write_text(text.replace("usmf", "demf"), encoding="utf-8")
    assert [one.what for one in verify_folder(run).checks if one.status == "altered"] == [
        f"packages/{NAME}"
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_is_that_of_tasks_entities_and_batches(turned: bool) -> None:
    packages = [("Contacts", "demf", 1), ("Contacts", "demf", 10), ("Contacts", "usmf", 2),
                ("ContactToCustomer", "demf", 1)]  # fmt: skip
    given = batches(*(reversed(packages) if turned else packages))
    text = render_checklist(
        "RUN", given, {"Contacts": "Dataverse Contacts", "ContactToCustomer": "Customers V2"}
    )
    assert re.findall(r"\[ \] (\d+)\. (\S+)", text) == [
        ("1", "Contacts/demf-1.zip"),
        ("2", "Contacts/demf-10.zip"),
        ("3", "Contacts/usmf-2.zip"),
        ("4", "ContactToCustomer/demf-1.zip"),
    ]
    assert "4 packages with 4,000 rows" in text
    assert text.count("entity        Dataverse Contacts") == 3
    assert "rows          1,000" in text
