"""CSV as people have it: dialects, encodings, and rows that are broken."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import SourceError
from pipeline.extract.landing import ReadOptions
from tests.scenes.reading import HEADER, ID, ROW, contacts, landed, named, rows, write

Found = list[tuple[str, int, str]]


def read(
    tmp_path: Path, content: str | bytes, *, limit: int = 1_048_576, block: int = 4096
) -> tuple[list[tuple[object, ...]], Found]:
    """lastname and line of the readable contacts, and the unreadable ones."""
    write(tmp_path / "export", {"contacts.csv": content})
    frame, unreadable = contacts(
        tmp_path / "export", tmp_path / "in", options=ReadOptions(row_limit=limit, block=block)
    )
    return frame.select("lastname", "source_line").rows(), unreadable


def refused(tmp_path: Path, content: str | bytes, *, limit: int = 1_048_576) -> str:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, content, limit=limit)
    assert not list((tmp_path / "in").glob("**/*")), "a refused table leaves nothing behind"
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_dialect_is_told_by_its_header_line(
    tmp_path: Path, delimiter: str, line_end: str, encoding: str
) -> None:
    lines = [HEADER, named("Grün"), named('"a ""b"", 😀"'), ""]
    text = line_end.join(lines).replace(",", delimiter)
    rows, unreadable = read(tmp_path, text.encode(encoding))
    assert rows == [("Grün", 2), (f'a "b"{delimiter} 😀', 3)]
    assert not unreadable


def test_a_delimiter_can_be_said_in_the_first_line_as_excel_does(tmp_path: Path) -> None:
    text = f"sep=;\r\n{HEADER}\r\n{ROW}\r\n".replace(",", ";")
    assert read(tmp_path, text) == ([("Brown", 3)], [])


def test_commas_in_quoted_headers_do_not_make_the_delimiter(tmp_path: Path) -> None:
    text = f'{HEADER},"a,b,c,d,e,f,g"\n{ROW},1\n'.replace(",", ";").replace(
        "a;b;c;d;e;f;g", "a,b,c,d,e,f,g"
    )
    assert read(tmp_path, text) == ([("Brown", 2)], [])


def test_line_ends_may_be_mixed_and_lines_blank(tmp_path: Path) -> None:
    text = f"\n\r\n{HEADER}\r\n{ROW}\n\n{ROW}\r\n\r\n{ROW}"
    assert read(tmp_path, text) == ([("Brown", 4), ("Brown", 6), ("Brown", 8)], [])


def test_a_line_break_in_quotes_is_kept_and_counts_as_a_line(tmp_path: Path) -> None:
    rows = "".join(f"{named(value)}\n" for value in ('"a\nb"', '"c\r\nd"', '"e\rf"', "g"))
    assert read(tmp_path, f"{HEADER}\n{rows}") == (
        [("a\nb", 2), ("c\r\nd", 4), ("e\rf", 6), ("g", 7)],
        [],
    )


def test_a_header_may_have_line_breaks_in_quotes(tmp_path: Path) -> None:
    assert read(tmp_path, f'{HEADER},"two\nlines"\n{ROW},x\n') == ([("Brown", 3)], [])


def test_values_stay_as_written_and_only_empty_is_null(tmp_path: Path) -> None:
    values = [
        " a ",
        "NULL",
        "NA",
        "nan",
        "0012",
        "1e3",
        "\u00a0",
        '""',
        '"\t"',
        "#N/A",
        "\ufeff",
        "'x'",
        "\\n",
        "=1+1",
    ]
    text = HEADER + "\n" + "".join(f"{named(value)}\n" for value in values)
    rows, unreadable = read(tmp_path, text)
    assert [value for value, _ in rows] == [
        {'""': None, '"\t"': "\t"}.get(value, value) for value in values
    ]
    assert not unreadable


@pytest.mark.parametrize("block", [16, 64, 4096])
def test_a_byte_order_mark_between_joined_files_is_a_value_not_a_signature(
    tmp_path: Path, block: int
) -> None:
    """Such a row has an id that is no GUID, and says so later.

    To drop the mark would be a guess.
    """
    write(tmp_path / "export", {"contacts.csv": f"\ufeff{HEADER}\n{ROW}\n\ufeff{ROW}\n"})
    frame, _ = contacts(tmp_path / "export", tmp_path / "in", options=ReadOptions(block=block))
    assert frame["contactid"].to_list() == [ID, f"\ufeff{ID}"]


@pytest.mark.parametrize(
    ("broken", "lines", "detail"),
    [
        (f"{ID},x,,", 1, "it has 4 fields where the header has 5"),
        (f"{ID}", 1, "it has 1 field where the header has 5"),
        ("   ", 1, "it has 1 field where the header has 5"),
        (f"{ROW},", 1, "it has 6 fields where the header has 5"),
        (f'{ID},"x" y,,true,', 1, "there is text after a closing quote"),
        (f'{ID},"x"y",,true,', 1, "there is text after a closing quote"),
        (f"{ID},x\ry,,true,", 1, "a line break of another kind stands outside quotes"),
        (f'{ID},"x,,true,', 1, "there is text after a closing quote"),
        (f'{ID},"x,,true,\n{ID},more', 2, "there is text after a closing quote"),
    ],
    ids=[
        "few",
        "one",
        "spaces",
        "many",
        "after quote",
        "inner quote",
        "cr",
        "open quote",
        "open quote over lines",
    ],
)
def test_a_broken_row_is_named_by_its_line_and_the_rows_around_it_are_read(
    tmp_path: Path, broken: str, lines: int, detail: str
) -> None:
    after = named('"Q"')
    rows, unreadable = read(tmp_path, f"{HEADER}\n{ROW}\n{broken}\n{after}\n")
    assert rows == [("Brown", 2), ("Q", 3 + lines)]
    assert unreadable[0] == ("contacts.csv", 3, detail)
    assert len(unreadable) == lines


def test_a_quote_inside_a_bare_field_is_a_character(tmp_path: Path) -> None:
    """Nothing else can be meant, and the number of fields is still held against the header."""
    name = '5" O"Neil'
    rows, unreadable = read(tmp_path, f"{HEADER}\n{named(name)}\n{ROW}\n")
    assert rows == [(name, 2), ("Brown", 3)]
    assert not unreadable


def test_a_quote_that_never_closes_costs_one_line_not_the_file(tmp_path: Path) -> None:
    text = f'{HEADER}\n{ROW}\n{ID},"open,,true,\n{ROW}\n{ROW}'
    rows, unreadable = read(tmp_path, text)
    assert rows == [("Brown", 2), ("Brown", 4), ("Brown", 5)]
    assert unreadable == [("contacts.csv", 3, "a quote does not close before the end of the file")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("block", [64, 4096])
def test_a_quote_that_closes_in_another_row_costs_its_own_row_only(
    tmp_path: Path, line_end: str, block: int
) -> None:
    lines = [HEADER, ROW, named('"urgent'), ROW, named('pipe 5"'), named(f'"a\n{ID};x\n{ID},y"')]
    text = line_end.join(lines).replace(",", ";").replace(f"{ID};y", f"{ID},y")
    rows, unreadable = read(tmp_path, text, block=block)
    assert rows == [("Brown", 2), ("Brown", 4), ('pipe 5"', 5), (f"a\n{ID};x\n{ID},y", 6)]
    reason = "a quote does not close before the next row begins"
    assert unreadable == [("contacts.csv", 3, reason)]


def test_a_file_that_breaks_off_inside_a_row_says_so(tmp_path: Path) -> None:
    rows, unreadable = read(tmp_path, f"{HEADER}\n{ROW}\n{ID},Bro")
    assert rows == [("Brown", 2)]
    assert unreadable == [("contacts.csv", 3, "it has 2 fields where the header has 5")]


@pytest.mark.parametrize("block", [100, 5000, 1 << 20])
def test_a_row_over_the_limit_is_named_and_the_rest_is_read(tmp_path: Path, block: int) -> None:
    plain, quoted = named("x" * 2000), named('"' + "y" * 2000 + '"')
    broken = named('"' + "z\n" * 1000 + '"')
    just = ROW.replace("Brown", "w" * (1500 - len(ROW) + 5))
    text = f"{HEADER}\n{ROW}\n{plain}\n{quoted}\n{just}\n{broken}\n{ROW}\n{plain}"
    rows, unreadable = read(tmp_path, text, limit=1500, block=block)
    assert [line for _, line in rows] == [2, 5, 1007]
    assert [line for _, line, _ in unreadable] == [3, 4, *range(6, 1007), 1008]
    assert {detail for _, line, detail in unreadable if line in {3, 4, 1008}} == {
        "it is longer than 1,500 bytes"
    }
    assert unreadable[2][2] == "a quote does not close within 1,500 bytes"


def test_a_million_byte_row_passes_the_default_limit_and_a_longer_one_does_not(
    tmp_path: Path,
) -> None:
    fits, over = (ROW.replace("Brown", "x" * (1_048_576 - len(ROW) + 5 + more)) for more in (0, 1))
    write(tmp_path / "export", {"contacts.csv": f"{HEADER}\n{fits}\n{over}\n{ROW}\n"})
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["source_line"].to_list() == [2, 4]
    assert unreadable == [("contacts.csv", 3, "it is longer than 1,048,576 bytes")]


def test_a_header_without_rows_is_a_table_without_rows(tmp_path: Path) -> None:
    for text in (HEADER, HEADER + "\r\n", f"\ufeff{HEADER}\n\n"):
        write(tmp_path / "export", {"contacts.csv": text})
        frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
        assert frame.is_empty()
        assert not unreadable
        assert {"contactid", "lastname", "source_line"} <= set(frame.columns)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "contacts.csv: is empty."),
        (b"\r\n\n", "contacts.csv: is empty."),
        (b"\xef\xbb\xbf", "contacts.csv: is empty."),
        (b"sep=;\n", "contacts.csv: has no header line."),
        (
            f"{HEADER}\n{ROW}\n{ROW}".encode().replace(b"Brown", b"Gr\xfcn"),
            "line 2 is not UTF-8. Save the file as 'CSV UTF-8",
        ),
        (f"{HEADER}\n{ROW}\nJos\xe9".encode("cp1252"), "line 3 is not UTF-8"),
        (f"{HEADER}\n{ROW}".encode("utf-16-le")[:-1], "line 2 is not whole UTF-16"),
        ("\ufeff".encode("utf-16-le") + b"a\0\x00\xd8b\0", "line 1 is not whole UTF-16"),
        (b"PK\x03\x04\x14\0", "is an Excel workbook or a zip"),
        (b"\x1f\x8b\x08rest", "is packed with gzip: let its name end in .gz"),
        (b"PAR1rest", "let its name end in .parquet"),
        (b"\xd0\xcf\x11\xe0rest", "is an Excel workbook of the old form, or one with a password"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is not a text file"),
        (f"{HEADER}\n{ROW}\n".encode("utf-32"), "is UTF-32: save it as UTF-8"),
        (f"{HEADER}\n{ROW}\n".encode("utf-32-le"), "is UTF-32: save it as UTF-8"),
        (f"{HEADER}\n{ROW}\n".encode("utf-32-be"), "is UTF-32: save it as UTF-8"),
        (
            f'"{HEADER}\n{ROW}\n'.encode(),
            "the header line cannot be read: a quote does not close before the end of the file",
        ),
        (
            f'"contactid"x,{HEADER}\n'.encode(),
            "the header line cannot be read: there is text after a closing quote",
        ),
        (b'{"value": []}', "is JSON: let its name end in .json"),
        (b"<entities></entities>", "is XML: let its name end in .xml"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b"BZh91AY&SY", "is packed with bzip2"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
        (b"Obj\x01\x04\x14", "is an Avro file"),
    ],
    ids=lambda one: repr(one)[:30],
)  # fmt: skip
def test_what_is_no_csv_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes, words: str
) -> None:
    assert words in refused(tmp_path, content)


def test_a_header_line_over_the_limit_is_refused(tmp_path: Path) -> None:
    assert "the header line cannot be read: it is longer than 2,000 bytes" in refused(
        tmp_path, HEADER + "," * 3000, limit=2000
    )


def test_a_header_of_quotes_does_not_take_for_ever(tmp_path: Path) -> None:
    assert "the header line cannot be read" in refused(tmp_path, '"' * 20_001 + "x", limit=50_000)


def test_the_wrong_encoding_is_found_behind_the_first_block(tmp_path: Path) -> None:
    good = "".join(f"{named('Grün')}\n" for _ in range(200))
    content = f"{HEADER}\n{good}".encode() + "Grün".encode("cp1252")
    assert "line 202 is not UTF-8" in refused(tmp_path, content)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_the_line_of_a_wrong_byte_is_counted_over_all_blocks(tmp_path: Path, encoding: str) -> None:
    text = "\n".join([HEADER, *[ROW] * 500, named("Grün"), ROW]).encode(encoding)
    if encoding == "utf-16":
        text = text.replace("ü".encode("utf-16-le"), b"\x00\xd8")
    write(tmp_path / "export", {"contacts.csv": text})
    with pytest.raises(SourceError, match=r"contacts\.csv: line 502 is not "):
        contacts(tmp_path / "export", tmp_path / "in", options=ReadOptions(block=100))


@pytest.mark.parametrize("lines", [[], [ROW]], ids=["no rows", "a row"])
def test_a_file_is_landed_with_its_own_columns_only(tmp_path: Path, lines: list[str]) -> None:
    write(tmp_path / "export", {"contacts.csv": "\n".join([HEADER, *lines])})
    one = landed(tmp_path / "export", tmp_path / "in")["contacts"]
    own = [*HEADER.split(","), "source_file", "source_line"]
    assert sorted(pl.read_parquet_schema(one.files[0])) == sorted(own)
    assert rows(one).height == len(lines)


def test_files_with_different_columns_are_one_table(tmp_path: Path) -> None:
    files = {"1.csv": f"{HEADER}\n{ROW}", "2.csv": f"{HEADER},jobtitle\n{ROW},Baker"}
    write(tmp_path / "export" / "contacts", files)
    frame, unreadable = contacts(tmp_path / "export", tmp_path / "in")
    assert frame["jobtitle"].to_list() == [None, "Baker"]
    assert not unreadable


@pytest.mark.parametrize("block", [1, 64, 4096])
@pytest.mark.parametrize("blank", [",,,,", ',"",,"",', '"","","","",""', ",,,,,,", ","])
def test_rows_of_nothing_but_delimiters_are_none(tmp_path: Path, blank: str, block: int) -> None:
    text = f"{HEADER}\n{blank}\n{ROW}\r\n{blank}\r\n{blank}"
    assert read(tmp_path, text, block=block) == ([("Brown", 3)], [])


def test_a_row_that_has_something_in_a_column_that_nobody_asked_for_is_one(tmp_path: Path) -> None:
    text = f"{HEADER},extra\n{ROW},\n{',' * ROW.count(',')},Total\n"
    assert read(tmp_path, text) == ([("Brown", 2), (None, 3)], [])


@pytest.mark.parametrize("block", [1, 4096])
@pytest.mark.parametrize("again", [HEADER, "\ufeff" + HEADER, HEADER + ","])
def test_the_header_again_where_files_were_put_together_is_no_row(
    tmp_path: Path, again: str, block: int
) -> None:
    end = again[len(again.rstrip(",")) :]
    text = "".join(f"{line}\n" for line in (HEADER + end, ROW + end, again, ROW + end))
    assert read(tmp_path, text, block=block) == ([("Brown", 2), ("Brown", 4)], [])


def test_the_header_again_with_the_columns_in_another_order_is_refused(tmp_path: Path) -> None:
    others = ",".join(reversed(HEADER.split(",")))
    told = refused(tmp_path, f"{HEADER}\n{ROW}\n{others}\n{ROW}\n")
    assert "contacts.csv: row 3 has the names of the columns again" in told
    assert "a folder contacts." in told
    assert "Brown" not in told


@pytest.mark.parametrize("block", [1, 2, 3, 4096])
def test_a_cr_that_windows_put_before_each_line_end_is_dropped(tmp_path: Path, block: int) -> None:
    lines = [HEADER, named('"a\r\nb"'), named("c"), named("d")]
    text = "\r\n".join(lines).replace("\n", "\r\n") + "\r\r\n"
    found = read(tmp_path, text, block=block)
    assert found == ([("a\r\nb", 2), ("c", 4), ("d", 5)], [])


@pytest.mark.parametrize("block", [1, 4096])
@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\r\r\n\x1a"])
def test_the_sign_for_the_end_of_a_file_is_no_row(tmp_path: Path, end: str, block: int) -> None:
    line_end = "\r\r\n" if "\r" in end else "\n"
    text = f"{HEADER}{line_end}{named('a' + chr(26))}{line_end}{ROW}{end}"
    assert read(tmp_path, text, block=block) == ([("a\x1a", 2), ("Brown", 3)], [])
