"""Exports of SCM as they come: packages, folders, several files, legal entities in names."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.errors import SourceError, UsageError
from pipeline.extract.exports import land_exports
from schemas.catalogue import Field, Table
from schemas.scm import CUSTOMERS_EXPORT

TABLES = {"Customers V2": CUSTOMERS_EXPORT}
PERSONS = Table(
    name="persons",
    singular="person",
    key="ContactPersonPartyNumber",
    fields=(Field(name="ContactPersonPartyNumber"), Field(name="dataAreaId")),
    required=(("ContactPersonPartyNumber",),),
)
HEADER = "CUSTOMERACCOUNT,PARTYNUMBER"
HEADERS = ("CustomerAccount", "PartyNumber")
MANIFEST = "<DataManagementPackageManifest/>"


def write(home: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def pack(path: Path, files: Mapping[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def customers(*names: str) -> str:
    return "".join(f"{line}\r\n" for line in (HEADER, *(f"{one},P-{one}" for one in names)))


def package(path: Path, *names: str, **more: str) -> Path:
    """A package as an export project of Data management makes it: UTF-16, with its manifest."""
    files: dict[str, str | bytes] = {
        "Manifest.xml": MANIFEST,
        "PackageHeader.xml": MANIFEST,
        "Customers V2.csv": customers(*names).encode("utf-16"),
    }
    return pack(path, files | {f"{name}.csv": content for name, content in more.items()})


def land(*paths: Path, areas: tuple[str, ...] = ("usmf", "demf")) -> list[tuple[str, ...]]:
    where = "destination.known_customers"
    with tempfile.TemporaryDirectory() as into:
        frame = land_exports(paths, TABLES, areas, where, Path(into))["Customers V2"].collect()
    names = [
        one for one in ("CustomerAccount", "PartyNumber", "dataAreaId") if one in frame.columns
    ]
    return frame.select(names).rows()


def test_a_package_is_read_without_what_describes_it(tmp_path: Path) -> None:
    path = package(tmp_path / "export.zip", "A", "B", Groups="CUSTOMERGROUPID,DESCRIPTION\n10,x\n")
    assert land(path) == [("A", "P-A"), ("B", "P-B")]


@pytest.mark.parametrize("name", ["demf.zip", "Customers V2 DEMF.zip", "export_demf-2.zip"])
def test_a_package_can_be_named_after_its_legal_entity(tmp_path: Path, name: str) -> None:
    assert land(package(tmp_path / name, "A")) == [("A", "P-A", "demf")]


def test_a_folder_holds_a_file_for_each_legal_entity(tmp_path: Path) -> None:
    write(
        tmp_path / "scm",
        {
            "usmf.csv": customers("A"),
            "demf/Customers V2.csv": customers("B"),
            "Thumbs.db": b"x",
            "README.txt": "Packages, to be imported",
        },
    )
    package(tmp_path / "scm" / "more" / "USMF.zip", "C")
    assert sorted(land(tmp_path / "scm")) == [
        ("A", "P-A", "usmf"), ("B", "P-B", "demf"), ("C", "P-C", "usmf")
    ]  # fmt: skip


def test_a_list_of_files_is_read_and_a_column_wins_over_a_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "usmf.csv": customers("A"),
            "demf.csv": f"{HEADER},DATAAREAID\nB,P-B,usmf\nC,P-C,\n",
        },
    )
    assert land(tmp_path / "usmf.csv", tmp_path / "demf.csv") == [
        ("A", "P-A", "usmf"), ("B", "P-B", "usmf"), ("C", "P-C", "demf")
    ]  # fmt: skip


def test_one_file_may_leave_its_legal_entity_open_but_not_one_of_several(tmp_path: Path) -> None:
    write(tmp_path, {"customers.csv": customers("A"), "dkmf.csv": customers("B")})
    assert land(tmp_path / "customers.csv") == [("A", "P-A")]
    with pytest.raises(SourceError, match=r"legal entity .* one of the project's \(usmf, demf\)"):
        land(tmp_path)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"usmf.csv": customers("A"), "demf.csv": "US-001,Contoso\n"}, "no header line"),
        ({"usmf.csv": customers("A"), "demf.csv": "CUSTOMERACCOUNT,NAME\nA,B\n"}, "PartyNumber"),
        ({"usmf.csv": customers("A"), "demf.pdf": b"%PDF"}, "demf.pdf: is not read there"),
        ({"groups.csv": "CUSTOMERGROUPID,DESCRIPTION\n10,x\n"}, "no file there is an export of"),
    ],
)
def test_what_is_not_understood_in_a_folder_is_refused(
    tmp_path: Path, files: dict[str, str | bytes], says: str
) -> None:
    write(tmp_path / "scm", files)
    with pytest.raises(SourceError, match=says):
        land(tmp_path / "scm")


def test_a_workbook_in_a_package_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "usmf.zip", {"Manifest.xml": MANIFEST, "Customers V2.xlsx": b"PK"})
    with pytest.raises(SourceError, match="Export CSV, or unpack it"):
        land(path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"known_customers.*gone\.csv: there is no such file"):
        land(tmp_path / "gone.csv")


def test_files_go_to_the_table_whose_key_they_have(tmp_path: Path) -> None:
    write(
        tmp_path / "scm",
        {"a.csv": customers("A"), "b.csv": "CONTACTPERSONPARTYNUMBER\nP\n"},
    )
    tables, into = TABLES | {"CDS Contacts": PERSONS}, tmp_path / "into"
    into.mkdir()
    found = land_exports([tmp_path / "scm"], tables, (), "--scm", into)
    assert {name: rows.collect().height for name, rows in found.items()} == {
        "Customers V2": 1, "CDS Contacts": 1
    }  # fmt: skip
    write(tmp_path, {"x.csv": "Name\nAda\n"})
    with pytest.raises(UsageError, match=r"--scm x\.csv is an export of neither entity"):
        land_exports([tmp_path / "x.csv"], tables, (), "--scm", into)


@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "4.93E+11", "1000.0", " #NAME? "])
@pytest.mark.parametrize("place", [0, 1])
def test_a_key_that_a_spreadsheet_spoiled_refuses_the_file(
    tmp_path: Path, cell: str, place: int
) -> None:
    cells = ["A-1", "P-1"]
    cells[place] = cell
    write(tmp_path, {"known.csv": f"{HEADER}\nA-0,P-0\n{','.join(cells)}\n"})
    words = f"{HEADERS[place]} of 1 row, the first in line 3, was spoiled"
    with pytest.raises(SourceError, match=words) as caught:
        land(tmp_path / "known.csv")
    assert "known_customers, known.csv" in str(caught.value)


def test_keys_of_digits_and_blank_parties_are_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, {"known.csv": f"{HEADER}\n1000,2E11\n4.5,\n"})
    assert [one[0] for one in land(tmp_path / "known.csv")] == ["1000", "4.5"]
