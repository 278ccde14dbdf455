from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.project.mapfile import read_map_file


@pytest.mark.parametrize(
    "content",
    [
        "city,code\nBerlin,1\nKøbenhavn,2\n",
        "city;code\nBerlin;1\nKøbenhavn;2",
        "city\tcode\r\nBerlin\t1\r\nKøbenhavn\t2\r\n",
        '"city","code"\n"Berlin","1"\n\n" København ", 2 \n',
    ],
)
def test_comma_semicolon_and_tab_are_read_by_the_header_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "map.csv"
    path.write_text(content, encoding="utf-8-sig", newline="")
    assert read_map_file(path) == ({"Berlin": "1", "København": "2"}, [])


def test_a_blank_key_is_the_blank_and_a_blank_value_clears(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text("city,code\n,9\nBerlin,\n")
    assert read_map_file(path) == ({"": "9", "Berlin": ""}, [])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty; it needs a header line."),
        (b"city,code\nBerlin,1,2\n", "line 2 must have two columns, it has 3."),
        (b"city\nBerlin\n", "line 1 must have two columns, it has 1."),
        (b"city,code\nBerlin,1\nBerlin,2\n", "line 3 has the key 'Berlin' again."),
        (b"city,code\nK\xf8benhavn,1\n", "is not UTF-8 text."),
        (b"PK\x03\x04", "is a workbook: save its sheet as 'CSV UTF-8 (comma delimited)'."),
        (b'city,code\n"Berlin" x,1\n', "is not a CSV file"),
    ],
)
def test_what_is_no_map_is_said_with_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(content)
    assert any(told in text for text in read_map_file(path)[1])


def test_all_wrong_lines_are_told(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text("city,code\na\nb\nc,1\n")
    assert len(read_map_file(path)[1]) == 2
