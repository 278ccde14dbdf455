"""Packed files: read as they were before, and no bomb is unpacked."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from pipeline.extract.landing import ReadOptions
from tests.scenes.reading import HEADER, ID, ROW, contacts, landed, named, rows, write

CSV = f"{HEADER}\n{ROW}\n{named('Grün')}\n".encode()
RECORD = {
    "contactid": ID,
    "lastname": "Brown",
    "msdynce_contactnumber": "CON-01000-ZQE454",
    "msdynce_isactivecustomer": True,
    "parentcustomerid": None,
}
ACCOUNTS = f"accountid,accountnumber,name\n{ID},ACC-1,Litware\n".encode()


def pack(files: Mapping[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def refused(tmp_path: Path, name: str, content: bytes, **limits: Any) -> str:
    with pytest.raises(SourceError) as caught:
        contacts(
            write(tmp_path / "export", {name: content}),
            tmp_path / "in",
            options=ReadOptions(**limits),
        )
    assert not list((tmp_path / "in").glob("**/*"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contacts.csv.gz", CSV),
        ("contacts.TSV.GZ", CSV.replace(b",", b"\t")),
        ("contact.csv.gz", CSV.decode().encode("utf-16")),
        ("contacts.json.gz", json.dumps({"value": [RECORD, RECORD]}).encode()),
        ("contacts.jsonl.gz", (json.dumps(RECORD) + "\n").encode() * 2),
        ("contacts/part-0.csv.gz", CSV),
    ],
)
def test_what_is_packed_with_gzip_is_read_as_it_was(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = write(tmp_path / "export", {name: gzip.compress(content)})
    frame, unreadable = contacts(folder, tmp_path / "in", options=ReadOptions(block=64))
    assert frame["contactid"].to_list() == [ID, ID]
    assert set(frame["source_file"]) == {name}
    assert not unreadable


def test_pieces_that_were_packed_one_by_one_are_one_file(tmp_path: Path) -> None:
    packed = gzip.compress(CSV) + gzip.compress(f"{named('Grey')}\n".encode())
    frame, _ = contacts(write(tmp_path / "export", {"contacts.csv.gz": packed}), tmp_path / "in")
    assert frame["lastname"].to_list() == ["Brown", "Grün", "Grey"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(CSV)[:-9], "its packed data are damaged or break off"),
        (gzip.compress(CSV)[:12], "its packed data are damaged or break off"),
        (gzip.compress(CSV)[:-8] + b"\0" * 8, "its packed data are damaged or break off"),
        (CSV, "its name ends in .gz, but it is not packed with gzip"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(gzip.compress(CSV)), "is packed with gzip"),
    ],
    ids=["cut", "cut early", "wrong sum", "not packed", "nothing", "twice"],
)
def test_gzip_that_is_broken_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(tmp_path, "contacts.csv.gz", content)


@pytest.mark.parametrize("name", ["contacts.csv.gz", "contacts.zip"])
def test_a_file_that_becomes_larger_than_it_may_is_refused(tmp_path: Path, name: str) -> None:
    text = CSV + f"{named('x' * 1000)}\n".encode() * 100
    content = gzip.compress(text) if name.endswith("gz") else pack({"contacts.csv": text})
    told = refused(tmp_path, name, content, unpacked_limit=50_000)
    assert "unpacks to more than 50,000 bytes" in told
    assert "raise source.unpacked_limit or source.unpacked_ratio" in told


def test_a_bomb_is_told_by_its_ratio(tmp_path: Path) -> None:
    bomb = gzip.compress(CSV + b"\n" * (70 << 20), compresslevel=9)
    assert len(bomb) < 200_000
    assert "more than 200 times its size" in refused(tmp_path, "contacts.csv.gz", bomb)


@pytest.mark.parametrize(
    "files",
    [
        {"contacts.csv": CSV},
        {"export 2026-11-29.csv": CSV},
        {"some/folder/contact.csv": CSV, "__MACOSX/some/folder/._contact.csv": b"x"},
        {"contacts.csv": CSV, "accounts.csv": ACCOUNTS, "readme.md": b"x"},
    ],
    ids=["one", "another name", "folders", "several tables"],
)
def test_a_zip_named_after_a_table_holds_it(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = write(tmp_path / "export", {"contacts.zip": pack(files)})
    frame, unreadable = contacts(folder, tmp_path / "in", options=ReadOptions(block=64))
    assert frame["lastname"].to_list() == ["Brown", "Grün"]
    assert frame["source_file"][0].startswith("contacts.zip/")
    assert not unreadable


def test_a_zip_of_any_name_holds_the_tables_that_its_files_are_named_after(tmp_path: Path) -> None:
    packed = pack({"contacts.csv": CSV, "accounts.csv": ACCOUNTS})
    folder = write(tmp_path / "export", {"dataverse_export.zip": packed})
    found = landed(folder, tmp_path / "in", ("contacts", "accounts", "quotes"))
    assert sorted(found) == ["accounts", "contacts"]
    assert rows(found["accounts"])["name"].to_list() == ["Litware"]


def test_a_file_beside_a_zip_outranks_it(tmp_path: Path) -> None:
    packed = pack({"contacts.csv": CSV})
    folder = write(tmp_path / "export", {"old.zip": packed, "contacts.csv": f"{HEADER}\n{ROW}\n"})
    frame, _ = contacts(folder, tmp_path / "in")
    assert frame["lastname"].to_list() == ["Brown"]


def encrypt(packed: bytes) -> bytes:
    """The flag of encryption, in both headers of a zip with one file."""
    changed = bytearray(packed)
    changed[6] |= 1
    changed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pack({"contacts.csv": CSV})[:60], "is not a whole zip archive"),
        (CSV, "is not a whole zip archive"),
        (pack({"../contacts.csv": CSV}), "holds a file whose path leads out of the archive"),
        (pack({"/contacts.csv": CSV}), "holds a file whose path leads out of the archive"),
        (pack({"a.csv": CSV, "b.csv": CSV}), "holds several files that could be contacts"),
        (pack({"inner.zip": pack({"contacts.csv": CSV})}), "holds no file that could be contacts"),
        (pack({"contacts.parquet": b"PAR1"}), "holds no file that could be contacts"),
        (pack({}), "holds no file that could be contacts: nothing"),
        (encrypt(pack({"contacts.csv": CSV})), "is encrypted: unpack it with its password"),
        (
            pack({"contacts.csv": CSV}, zipfile.ZIP_STORED).replace(b"Brown", b"Black", 1),
            "its packed data are damaged or break off",
        ),
        (
            pack({"contacts.csv": CSV}).replace(b"contacts.csv", b"\0ontacts.csv"),
            "holds a file without a name: copy it again",
        ),
    ],
    ids=[
        "cut", "no zip", "up", "absolute", "several", "nested", "parquet", "empty", "encrypted",
        "wrong sum", "no name",
    ],
)  # fmt: skip
def test_a_zip_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused(tmp_path, "contacts.zip", content)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("contacts.csv.bz2", "'.csv.bz2' files are not read: unpack it, or pack it with gzip"),
        ("contacts.csv.zst", "'.csv.zst' files are not read: unpack it, or pack it with gzip"),
        ("contacts.7z", "'.7z' files are not read: unpack it"),
        ("contacts.tar.gz", "'.tar.gz' files are not read: unpack it"),
        ("contacts.parquet.gz", "'.parquet.gz' files are not read: unpack it"),
    ],
)
def test_other_ways_to_pack_are_refused_by_name(tmp_path: Path, name: str, words: str) -> None:
    assert words in refused(tmp_path, name, b"rest")
