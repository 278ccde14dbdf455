"""Text of Postgres' COPY is proved by the whole file, and read as it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.extract.files.csv_reader import read_csv_file
from pipeline.extract.headers import ColumnSelection
from pipeline.extract.records import Chunk, ReadOptions
from schemas.sales import ACCOUNTS

HEADER = "accountid\taccountnumber\tname\n"


def read(tmp_path: Path, *lines: str, block: int = 4096) -> list[Chunk]:
    path = tmp_path / "accounts.tsv"
    path.write_bytes((HEADER + "".join(f"{line}\n" for line in lines)).encode())
    options = ReadOptions(block=block)
    return list(read_csv_file(path, path.name, ColumnSelection(table=ACCOUNTS), options))


def names(chunks: list[Chunk]) -> list[str | None]:
    return [name for chunk in chunks for name in chunk.table["name"].to_pylist()]


def lines(chunks: list[Chunk]) -> list[int]:
    return [line for chunk in chunks for line in chunk.table["source_line"].to_pylist()]


@pytest.mark.parametrize("block", [64, 4096])
def test_escapes_mean_what_postgres_means(tmp_path: Path, block: int) -> None:
    found = read(
        tmp_path,
        r"1	A	one\ntwo\r\nthree\tfour",
        r"2	\N	\\\\server\\new",
        r'3	\N	5" pipe \\n',
        r"4	\N	\N",
        r"\.",
        block=block,
    )
    assert names(found) == [
        "one\ntwo\nthree\tfour", "\\\\server\\new", '5" pipe \\n', "\\N",
    ]  # fmt: skip
    assert lines(found) == [2, 3, 4, 5], "lines are those of the file"
    assert not any(chunk.notes or chunk.unreadable for chunk in found)


@pytest.mark.parametrize(
    ("rows", "is_told"),
    [
        ((r"1	\N	C:\share", r"2	\N	C:\new"), True),
        ((r'1	\N	"a"', r"2	\N	C:\new"), True),
        ((r"1	A	C:\new",), False),
        ((r"1	\N	plain",), False),
    ],
)
def test_without_proof_backslashes_stay_and_doubts_are_told(
    tmp_path: Path, rows: tuple[str, ...], *, is_told: bool
) -> None:
    found = read(tmp_path, *rows)
    assert names(found)[-1] == rows[-1].split("\t")[2]
    assert [note.code for chunk in found for note in chunk.notes] == ["backslash_kept"] * is_told
