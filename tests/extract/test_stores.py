"""Whatever a folder holds, it is read from a store as it is from this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from deltalake import write_deltalake
from polars import selectors

from pipeline.errors import P2cError
from pipeline.extract.files.workbook_writing import write_workbook
from pipeline.extract.lake.log import find_newest_version
from pipeline.extract.landing import LandedTable, ReadOptions, land_folder
from schemas.sales import TABLES
from tests.scenes.lakes import KINDS
from tests.scenes.reading import HEADER, ID, ROW, rows, write
from tests.scenes.stores import as_path, store_folder

FIELD: Final = Path(__file__).parents[1] / "field"
"""Folders as people hand them over, each with a ``case.toml``."""

MODEL: Final = (
    '{"entities": [{"name": "contact", "attributes": ['
    + ", ".join(f'{{"name": "{name}"}}' for name in HEADER.split(","))
    + '], "partitions": [{"location": "https://contoso.dfs.core.windows.net/x/contact/1.csv"}]}]}'
)


def pack(files: Mapping[str, str]) -> bytes:
    """Files as a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return content.getvalue()


JSON_ROW: Final = (
    f'{{"contactid": "{ID}", "lastname": "Brown", "msdynce_contactnumber": "CON-1", '
    '"msdynce_isactivecustomer": true, "_parentcustomerid_value": null}'
)
FORMS: Final[Mapping[str, Mapping[str, str | bytes]]] = {
    "one CSV file": {"contacts.csv": f"{HEADER}\n{ROW}\n"},
    "parts of CSV": {
        "contacts/1 ü.csv": f"{HEADER}\n{ROW}\n",
        "contacts/b/2.csv": f"{HEADER}\n",
        "accounts.csv": "accountid,accountnumber,name\n",
    },
    "UTF-16": {"contacts.csv": f"{HEADER}\n{ROW}\n".encode("utf-16")},
    "a page of JSON": {"contacts.json": f'{{"value": [{JSON_ROW}]}}'},
    "JSON lines": {"contacts.jsonl": f"{JSON_ROW}\n{JSON_ROW}\n"},
    "Synapse Link": {"model.json": MODEL, "contact/1.csv": f"{ROW}\n"},
    "CSV packed with gzip": {"contacts.csv.gz": gzip.compress(f"{HEADER}\n{ROW}\n".encode())},
    "a zip": {"export.zip": pack({"contacts.csv": f"{HEADER}\n{ROW}\n", "accounts.csv": "a\n"})},
    "no table": {"others.csv": "a\n"},
    "an empty file": {"contacts.csv": ""},
    "a header without a key": {"contacts.csv": "lastname\nBrown\n"},
    "a workbook that is none": {"contacts.xlsx": b"<html>"},
    "two files for one table": {"contacts.csv": HEADER, "contact.csv": HEADER},
}

Facts = dict[str, object] | str


def land(folder: Path, into: Path) -> Facts:
    """What was landed, or why it was not."""
    try:
        found = land_folder(
            folder,
            into,
            tables=list(TABLES),
            extra={},
            wished={},
            options=ReadOptions(),
            progress=lambda _table, _rows: None,
        )
    except P2cError as error:
        return str(error).replace(str(folder), "FOLDER")
    notes = [one for one in found.list_notes() if one.source_file != "case.toml"]
    return {"notes": notes, **{name: describe(one) for name, one in found.tables.items()}}


def describe(one: LandedTable) -> tuple[object, ...]:
    found = rows(one).select(sorted(one.columns))
    frame = found.with_columns(selectors.datetime().dt.cast_time_unit("us")).cast(pl.String)
    sources = [(each.name, each.rows, each.bytes) for each in one.sources]
    return frame.rows(), frame.columns, one.unreadable, sources


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read_from_a_store_as_from_a_folder(form: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "export", FORMS[form])
    assert land(as_path(store_folder(folder)), tmp_path / "a") == land(folder, tmp_path / "b")


CASES: Final = sorted(path.parent for path in FIELD.rglob("case.toml"))


@pytest.mark.skipif(not CASES, reason="there are no folders of the field")
def test_every_folder_of_the_field_is_read_from_a_store_as_from_this_machine(
    tmp_path: Path,
) -> None:
    for case in CASES:
        there = land(as_path(store_folder(case)), tmp_path / case.name / "a")
        assert there == land(case, tmp_path / case.name / "b"), case.name


def test_what_was_read_from_front_to_end_has_its_hash(tmp_path: Path) -> None:
    folder = write(tmp_path / "export", FORMS["parts of CSV"])
    found = land_folder(
        as_path(store_folder(folder)),
        tmp_path / "in",
        tables=["contacts"],
        extra={},
        wished={},
        options=ReadOptions(),
        progress=lambda _table, _rows: None,
    )
    for one in found.tables["contacts"].sources:
        content = (folder / one.name).read_bytes()
        assert one.path.sha256 == hashlib.sha256(content).hexdigest()  # type: ignore[attr-defined]
        assert one.stamp is not None
        assert one.stamp.etag


def test_a_delta_table_is_read_at_its_newest_version(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    first = pl.DataFrame(
        {
            "contactid": [ID],
            "lastname": ["Brown"],
            "msdynce_contactnumber": ["CON-1"],
            "msdynce_isactivecustomer": [True],
            "_parentcustomerid_value": [None],
        },
        schema_overrides={"_parentcustomerid_value": pl.String},
    )
    second = first.with_columns(contactid=pl.lit(ID[:-1] + "0"))
    place = folder / "Tables" / "contact"
    place.parent.mkdir(parents=True)
    write_deltalake(place, first)
    write_deltalake(place, first, mode="overwrite")
    write_deltalake(place, second, mode="append")
    there = land(as_path(store_folder(folder)), tmp_path / "a")
    assert there == land(folder, tmp_path / "b")
    assert ID[:-1] + "0" in str(there)
    assert not list(Path(tempfile.gettempdir()).glob("p2c-delta-*"))


def test_a_delta_table_that_moves_on_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "contact"
    write_deltalake(folder, pl.DataFrame({"contactid": [ID]}))
    store = store_folder(tmp_path)
    assert find_newest_version(as_path(store / "contact")) == 0
    write_deltalake(folder, pl.DataFrame({"contactid": [ID]}), mode="append")
    assert find_newest_version(as_path(store / "contact")) == 1


def test_a_workbook_is_fetched_whole_and_its_copy_goes(tmp_path: Path) -> None:
    folder = write(tmp_path / "export", {})
    folder.mkdir()
    names = ["contactid", "lastname", "msdynce_contactnumber", "msdynce_isactivecustomer"]
    row = dict(zip([*names, "parentcustomerid"], [ID, "Brown", "CON-1", "true", ""], strict=True))
    write_workbook(folder / "contacts.xlsx", pl.DataFrame(row))
    store = store_folder(folder)
    there = land(as_path(store), tmp_path / "a")
    assert there == land(folder, tmp_path / "b")
    copy = as_path(store / "contacts.xlsx").fetch()  # type: ignore[attr-defined]
    assert copy.name == "contacts.xlsx"
    content = (folder / "contacts.xlsx").read_bytes()
    assert copy.read_bytes() == content
    assert (store / "contacts.xlsx").sha256 == hashlib.sha256(content).hexdigest()


ELSEWHERE: Final = ("absolute paths", "shallow clone")
"""Kinds of tables whose logs name files of this machine."""


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {*ELSEWHERE}))
def test_a_kind_of_delta_table_is_read_from_a_store_as_from_a_folder(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "export"
    KINDS[kind](folder / "contacts")
    there = land(as_path(store_folder(folder)), tmp_path / "a")
    assert there == land(folder, tmp_path / "b")
    assert "contacts" in there


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_a_delta_table_of_a_store_whose_files_lie_elsewhere_is_refused(
    tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "export"
    KINDS[kind](folder / "contacts")
    there = land(as_path(store_folder(folder)), tmp_path / "a")
    assert "contacts/_delta_log: names the file" in there
    assert "which is outside the folder of the source" in there
