from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import itertools
import shutil
import struct
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InvariantBroken, Stopped
from pipeline.load.packages.package import (
    Package,
    PackageSpec,
    build_package,
    build_packages,
    measure_package,
)
from tests.sandbox.scm.dmf.test_importing import order
from tests.scenes.scm_caller import Caller
from tests.scenes.specs import CONTACTS, CUSTOMERS, cells, member, sent, with_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
ROWS = st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=20)

CUSTOMER_ROWS = pl.DataFrame(
    {
        "CustomerAccount": ["CON-01000-ABCDEF", "CON-01001-GHIJKL"],
        "PersonFirstName": ["J\u00fcrgen", None],
        "PersonLastName": ['O"Neil', "\u5c71\u7530 \U0001f600"],
        "CreditLimit": [Decimal(20000), None],
        "AddressValidTo": [dt.datetime(2154, 12, 31, 23, 59, 59, tzinfo=dt.UTC), None],
        "row_hash": ["x", "y"],
    },
    schema_overrides={"CreditLimit": pl.Decimal(32, 6)},
)


def spec_for(legal_entity: str, batch: int) -> PackageSpec:
    return with_columns("Key", "Name", legal_entity=legal_entity, batch=batch)


def planned(*rows: tuple[str | None, int | None, str]) -> pl.DataFrame:
    """Planned rows of legal entity, batch and key, with what else stands in such a file."""
    frame = pl.DataFrame(
        rows, schema={"legal_entity": pl.String, "batch": pl.Int32, "Key": pl.String}, orient="row"
    )
    return frame.with_columns(
        Name="n-" + pl.col("Key"), contactid=pl.lit("c"), action=pl.lit("create")
    )


def written(folder: Path, *frames: pl.DataFrame) -> list[Path]:
    paths = [folder / f"{number:05}.parquet" for number in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        frame.write_parquet(path, row_group_size=3)
    return paths


def count(files: Sequence[Path]) -> dict[tuple[str, int], int]:
    """Rows by legal entity and batch."""
    if not files:
        return {}
    rows = pl.read_parquet(list(files)).filter(pl.col("batch").is_not_null())
    return {
        (entity, batch): number
        for entity, batch, number in rows.group_by("legal_entity", "batch").len().iter_rows()
    }


def keys(package: Package) -> list[str]:
    return [row[0] for row in sent(package)]


@settings(deadline=None)
@given(ROWS)
def test_any_text_without_line_break_comes_back_in_its_order(
    rows: list[tuple[str, str | None]],
) -> None:
    frame = pl.DataFrame(rows, schema={"Key": pl.String, "Name": pl.String}, orient="row")
    package = build_package(spec_for("usmf", 1), frame)
    assert sent(package) == [[key, name or ""] for key, name in rows]
    assert package.rows == len(rows)
    # How a package is compressed is not promised.
    assert measure_package(spec_for("usmf", 1), frame) == pytest.approx(len(package.content), abs=9)


@settings(deadline=None)
@given(ROWS)
def test_the_same_rows_make_the_same_content(rows: list[tuple[str, str | None]]) -> None:
    """Every file inside is the same, byte for byte; how it is compressed is not promised."""
    frame = pl.DataFrame(rows, schema={"Key": pl.String, "Name": pl.String}, orient="row")
    parts = pl.concat([frame.slice(0, 1), frame.slice(1, 4), frame.slice(5)], rechunk=False)
    one, other = (build_package(spec_for("usmf", 1), given) for given in (frame, parts))
    assert list_members(one) == list_members(other)
    facts = [(it.name, it.definition_group, it.rows, it.data_bytes) for it in (one, other)]
    assert facts[0] == facts[1]


def list_members(package: Package) -> list[tuple[str, tuple[int, ...], bytes]]:
    """Name, date and content of every file, in order."""
    with zipfile.ZipFile(io.BytesIO(package.content)) as file:
        return [(one.filename, one.date_time, file.read(one)) for one in file.infolist()]


def test_numbers_times_and_text_of_a_customer_arrive_as_agreed() -> None:
    package = build_package(CUSTOMERS, CUSTOMER_ROWS)
    assert cells(member(package, "Customers V2.csv")) == [
        ["CUSTOMERACCOUNT", "PERSONFIRSTNAME", "PERSONLASTNAME", "CREDITLIMIT", "ADDRESSVALIDTO"],
        ["CON-01000-ABCDEF", "J\u00fcrgen", 'O"Neil', "20000", "2154-12-31T23:59:59Z"],
        ["CON-01001-GHIJKL", "", "\u5c71\u7530 \U0001f600", "", ""],
    ]


def test_a_package_says_what_it_is() -> None:
    package = build_package(CUSTOMERS, CUSTOMER_ROWS)
    data = member(package, "Customers V2.csv")
    assert package.name == "demf-12.zip"
    assert package.definition_group.startswith("p2c-ContactToCustomer-demf-12-")
    assert len(package.definition_group) < 60
    assert package.sha256 == hashlib.sha256(package.content).hexdigest()
    assert (package.rows, package.data_bytes) == (2, len(data))
    name = f"<DefinitionGroupName>{package.definition_group}</DefinitionGroupName>"
    assert name.encode("utf-16-le") in member(package, "Manifest.xml")


def test_another_value_another_column_order_or_another_label_is_another_definition_group() -> None:
    columns = CUSTOMERS.columns
    other_rows = CUSTOMER_ROWS.with_columns(PersonFirstName=pl.lit("x"))
    variants = [
        build_package(CUSTOMERS, CUSTOMER_ROWS),
        build_package(CUSTOMERS, other_rows),
        build_package(with_columns(*columns, legal_entity="demf", batch=12), CUSTOMER_ROWS),
        build_package(with_columns(*columns[::-1], legal_entity="demf", batch=12), CUSTOMER_ROWS),
    ]
    assert len({one.definition_group for one in variants}) == len(variants)


def test_python_reads_the_zip_its_dates_and_its_checksums() -> None:
    package = build_package(CUSTOMERS, CUSTOMER_ROWS)
    with zipfile.ZipFile(io.BytesIO(package.content)) as file:
        assert file.testzip() is None
        assert file.namelist() == ["Manifest.xml", "PackageHeader.xml", "Customers V2.csv"]
        for info in file.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_type == zipfile.ZIP_DEFLATED
            assert info.external_attr >> 16 == 0o100644


def test_the_first_local_header_needs_no_more_than_version_2_and_the_usual_flags() -> None:
    content = build_package(CUSTOMERS, CUSTOMER_ROWS).content
    signature, version, flags, method, time, date = struct.unpack_from("<4sHHHHH", content)
    name_length, extra_length = struct.unpack_from("<HH", content, 26)
    assert signature == b"PK\x03\x04"
    assert version == 20
    assert flags == 0b1000_0000_1000  # names in UTF-8, sizes behind the data
    assert method == 8
    assert (time, date) == (0, 0b0000000_0001_00001)
    assert (name_length, extra_length) == (len("Manifest.xml"), 0)


@pytest.mark.skipif(shutil.which("unzip") is None, reason="the program unzip is not installed")
def test_unzip_reads_the_zip(tmp_path: Path) -> None:
    package = build_package(CUSTOMERS, CUSTOMER_ROWS)
    path = tmp_path / package.name
    path.write_bytes(package.content)
    tested = subprocess.run(["unzip", "-t", str(path)], capture_output=True, text=True, check=True)
    assert "No errors detected" in tested.stdout
    data = subprocess.run(
        ["unzip", "-p", str(path), "Customers V2.csv"], capture_output=True, check=True
    ).stdout
    assert data == member(package, "Customers V2.csv")


def test_a_data_file_over_the_limit_of_a_zip_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"demf-12\.zip: the data file has \d+ bytes, .*smaller batches"
    ):
        build_package(CUSTOMERS, CUSTOMER_ROWS, size_limit=100)


def test_a_definition_group_that_grew_too_long_is_refused() -> None:
    spec = with_columns("Key", legal_entity="a" * 40)
    with pytest.raises(ValueError, match="longer than 59 characters"):
        build_package(spec, pl.DataFrame({"Key": ["k"]}))


def test_interleaved_legal_entities_come_out_in_the_order_in_which_their_batches_end(
    tmp_path: Path,
) -> None:
    files = written(
        tmp_path,
        planned(
            ("b", 1, "1"),
            ("a", 1, "2"),
            ("b", 1, "3"),
            ("a", None, "-"),
            ("a", 2, "4"),
            ("b", 1, "5"),
        ),
        planned(("a", 2, "6"), ("b", 2, "7"), ("c", 1, "8"), ("a", 3, "9")),
    )
    stream = build_packages(files, spec_for, count(files))
    assert [(package.name, keys(package)) for package in stream] == [
        ("a-1.zip", ["2"]),
        ("b-1.zip", ["1", "3", "5"]),
        ("a-2.zip", ["4", "6"]),
        ("b-2.zip", ["7"]),
        ("c-1.zip", ["8"]),
        ("a-3.zip", ["9"]),
    ]


@settings(deadline=None, max_examples=40)
@given(
    lanes=st.lists(st.sampled_from("abc"), max_size=40),
    size=st.integers(1, 5),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    at_once=st.integers(1, 50),
)
def test_packages_do_not_depend_on_files_row_groups_or_morsels(
    tmp_path_factory: pytest.TempPathFactory,
    lanes: list[str],
    size: int,
    cuts: list[int],
    at_once: int,
) -> None:
    seen = dict.fromkeys("abc", 0)
    rows: list[tuple[str | None, int | None, str]] = []
    for number, lane in enumerate(lanes):
        rows.append((lane, seen[lane] // size + 1 if number % 7 else None, str(number)))
        seen[lane] += number % 7 > 0
    frame = planned(*rows)
    edges = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    parts = [frame.slice(start, end - start) for start, end in itertools.pairwise(edges)]
    one = written(tmp_path_factory.mktemp("whole"), frame)
    whole = list(build_packages(one, spec_for, count(one)))
    files = written(tmp_path_factory.mktemp("split"), *parts)
    split = list(build_packages(files, spec_for, count(files), rows_at_once=at_once))
    assert split == whole
    with ThreadPoolExecutor(2) as pool:
        assert list(build_packages(files, spec_for, count(files), pool=pool)) == whole
    assert sum(package.rows for package in whole) == sum(batch is not None for _, batch, _ in rows)


def test_a_package_is_out_before_the_rest_is_read(tmp_path: Path) -> None:
    files = written(tmp_path, planned(("a", 1, "1"), ("a", 2, "2")))
    stream = build_packages([*files, tmp_path / "missing.parquet"], spec_for, count(files))
    assert [next(stream).name, next(stream).name] == ["a-1.zip", "a-2.zip"]
    with pytest.raises(Stopped, match="reading the planned rows stopped"):
        next(stream)


def test_rows_without_a_batch_make_no_package(tmp_path: Path) -> None:
    files = written(tmp_path, planned(("a", None, "1"), (None, None, "2")))
    assert list(build_packages(files, spec_for, {})) == []


@pytest.mark.parametrize("planned_rows", [1, 3])
def test_a_batch_of_other_rows_than_planned_breaks_the_run(
    tmp_path: Path, planned_rows: int
) -> None:
    files = written(tmp_path, planned(("a", 1, "1"), ("a", 2, "2")), planned(("a", 1, "4")))
    with pytest.raises(InvariantBroken, match=f"batch 1 of a has 2 rows .* the {planned_rows} in"):
        list(build_packages(files, spec_for, {("a", 1): planned_rows, ("a", 2): 1}))


def test_a_column_that_is_kept_is_left_out_where_no_row_has_a_value() -> None:
    spec = dataclasses.replace(with_columns("Key", "Phone", "Fax"), kept=("Phone",))
    texts = dict.fromkeys(spec.columns, pl.String())
    bare = build_package(spec, pl.DataFrame([["1", None, None]], schema=texts, orient="row"))
    rows = [["1", None, "8"], ["2", "9", "8"]]
    some = build_package(spec, pl.DataFrame(rows, schema=texts, orient="row"))
    assert cells(member(bare, "CDS Contacts.csv")) == [["KEY", "FAX"], ["1", ""]]
    assert cells(member(some, "CDS Contacts.csv"))[0] == ["KEY", "PHONE", "FAX"]
    manifests = [member(one, "Manifest.xml").decode("utf-16") for one in (bare, some)]
    assert ["PHONE" in one for one in manifests] == [False, True]


def test_a_planned_row_without_legal_entity_breaks_the_run(tmp_path: Path) -> None:
    with pytest.raises(InvariantBroken, match="batch 1 has no legal entity"):
        list(build_packages(written(tmp_path, planned((None, 1, "1"))), spec_for, {}))


def test_a_file_that_is_no_parquet_breaks_the_run(tmp_path: Path) -> None:
    path = tmp_path / "00000.parquet"
    path.write_bytes(b"PAR1 cut short")
    with pytest.raises(InvariantBroken, match=r"00000\.parquet: is not a whole Parquet file"):
        list(build_packages([path], spec_for, {}))


def test_contacts_have_no_entity_in_code_and_still_make_a_package() -> None:
    rows = pl.DataFrame({name: ["1"] for name in CONTACTS.columns}).with_columns(
        pl.col("BirthDay").cast(pl.Int64)
    )
    assert sent(build_package(CONTACTS, rows)) == [["1"] * 6]


def test_a_package_that_quotes_only_what_needs_it_is_imported_as_it_is_meant() -> None:
    rows = pl.DataFrame(
        {
            "CustomerAccount": ["C-1", "C-2"],
            "PartyType": ["Person", "Person"],
            "PersonFirstName": ["Ada, Countess", 'Grace "G"'],
            "PersonLastName": ["Lovelace", "Hopper"],
            "CustomerGroupId": ["10", "10"],
            "SalesCurrencyCode": ["USD", "USD"],
        }
    )
    spec = PackageSpec(
        task="ContactToCustomer",
        entity_label="Customers V2",
        aot_name=None,
        legal_entity="usmf",
        batch=1,
        columns=tuple(rows.columns),
        qualifies_all=False,
    )
    with Caller() as scm:
        execution = run_order(scm, build_package(spec, rows).content)
        assert scm.act("GetExecutionSummaryStatus", executionId=execution) == "Succeeded"
        there = scm.get("/data/CustomersV2?cross-company=true")["value"]
    assert [(one["PersonFirstName"], one["PersonLastName"]) for one in there] == [
        ("Ada, Countess", "Lovelace"), ('Grace "G"', "Hopper")
    ]  # fmt: skip


def run_order(scm: Caller, content: bytes) -> str:
    return str(scm.act("ImportFromPackage", **order(scm, content)))
