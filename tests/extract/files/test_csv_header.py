"""Delimiters and header lines are proved by the columns that are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SourceError
from tests.scenes.reading import HEADER, ID, ROW, contacts, write


def read(tmp_path: Path, content: str) -> list[tuple[object, ...]]:
    """lastname and line of the contacts; every row must be readable."""
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.csv": content}), tmp_path / "in"
    )
    assert not unreadable
    return frame.select("lastname", "source_line").rows()


def refused(tmp_path: Path, content: str) -> str:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, content)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "~", "\x01", "\x1f", "^", ":"])
def test_the_delimiter_is_the_one_under_which_columns_are_known(
    tmp_path: Path, delimiter: str
) -> None:
    text = f"{HEADER}\n{ROW}\n".replace(",", delimiter)
    assert read(tmp_path, text) == [("Brown", 2)]


def test_a_delimiter_that_is_more_frequent_in_the_header_does_not_win(tmp_path: Path) -> None:
    labels = HEADER.replace(",", "|") + "|a;b;c;d;e;f;g;h|i,j,k,l,m,n,o"
    assert read(tmp_path, f"{labels}\n{ROW.replace(',', '|')}|x|y\n") == [("Brown", 2)]


@pytest.mark.parametrize(
    "before",
    ["#TYPE System.Management.Automation.PSCustomObject\r\n", '"#TYPE Selected.Entity"\n', "\n\n"],
)
def test_a_type_line_and_blank_lines_before_the_header_are_passed(
    tmp_path: Path, before: str
) -> None:
    lines = before.count("\n")
    assert read(tmp_path, f"{before}{HEADER}\n{ROW}\n") == [("Brown", 2 + lines)]


@pytest.mark.parametrize("sign", ["|", "!", "#", "~", "\x02"])
def test_any_ascii_sign_can_be_said_in_front(tmp_path: Path, sign: str) -> None:
    text = f"{HEADER}\n{ROW}\n".replace(",", sign)
    assert read(tmp_path, f"sep={sign}\n{text}") == [("Brown", 3)]


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        f"{ID};Quillfeather;Quillfeather",
        "Quillfeather,Quillfeather,nora@example.com",
        "Quillfeather,Nora,2024-01-02T08:00:00Z",
        "Quillfeather,Manager,nora@example.com",
    ],
    ids=["row", "twice", "mail", "date", "a label among the values"],
)
def test_a_first_line_that_is_a_row_is_no_header_and_is_not_shown(tmp_path: Path, row: str) -> None:
    told = refused(tmp_path, f"{row}\n{row}\n")
    assert told == (
        "contacts.csv: has no header line: row 1 looks like data. Export it again with the names "
        "of the columns in the first line."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Quillfeather,Nora\n", "row 1 has 2 cells, divided by commas, and none is such a name"),
        ("Quillfeather|Quillfeather\n", "row 1 has 2 cells, divided by `|`"),
        ("Quillfeather\n", "row 1 is one cell, under every usual delimiter"),
        (
            HEADER.replace(",", "!") + "\n",
            "Is it divided by `!`? Then put a line sep=! in front.",
        ),
        (HEADER.replace(",", "§"), "put a line like sep=| in front"),
        (
            ",".join(f"'{name}'" for name in HEADER.split(",")),
            "the columns in its header line are quoted with ' or `",
        ),
        (
            ",".join(f"[{name}]" for name in HEADER.split(",")),
            "have brackets or the name of a table around them, as in contact[contactid]. Export",
        ),
        (",".join(f"contact[{name}]" for name in HEADER.split(",")), "the name of a table around"),
        (",".join(f'c."{name}"' for name in HEADER.split(",")), "the name of a table around them"),
        ('[{"contactid":"x"}]\n', "is JSON: let its name end in .json"),
        (f'"{HEADER}"\n"{ROW}"\n', "its header line is in quotes as a whole"),
        (f"sep=|\n{HEADER}\n{ROW}\n", "Is it divided by commas?"),
        (
            "contactid       lastname     msdynce_contactnumber\n",
            "they are set in columns of fixed width",
        ),
        (
            f"Contacts of today\n\n{HEADER}\n{ROW}\n",
            "the names of the columns stand in line 3. Delete the lines above it.",
        ),
        (
            'a,b,_airbyte_data\n1,2,"{""lastname"": ""Quillfeather""}"\n',
            "its rows are JSON in the column _airbyte_data",
        ),
    ],
)
def test_a_first_line_without_known_columns_is_described_and_not_shown(
    tmp_path: Path, text: str, words: str
) -> None:
    told = refused(tmp_path, text)
    assert words in told
    assert "Quillfeather" not in told
    assert "p2c needs the columns contactid, firstname or middlename or lastname, " in told


def test_annotations_of_the_web_api_in_a_header_are_no_mail_addresses(tmp_path: Path) -> None:
    more = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    display = "gendercode@OData.Community.Display.V1.FormattedValue"
    assert read(tmp_path, f"{HEADER},{more},{display}\n{ROW},account,Male\n") == [("Brown", 2)]


def test_rows_that_all_end_with_a_delimiter_and_the_header_does_not_are_whole(
    tmp_path: Path,
) -> None:
    rows = f"{ROW},\n{ROW},\n"
    assert read(tmp_path, f"{HEADER}\n{rows}") == [("Brown", 2), ("Brown", 3)]
    assert read(tmp_path, f"{HEADER},\n{ROW}\n{ROW}\n") == [("Brown", 2), ("Brown", 3)]


def test_one_row_that_ends_with_a_delimiter_is_not(tmp_path: Path) -> None:
    """A comma in a value that was not quoted shifts the others."""
    text = f"{HEADER}\n{ROW}\n{ROW},\n"
    _, unreadable = contacts(write(tmp_path / "export", {"contacts.csv": text}), tmp_path / "in")
    assert [line for _, line, _ in unreadable] == [3]
