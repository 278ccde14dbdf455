"""A value map in a file: a CSV with a header line and two columns.

The first column is the source value, the second the destination value.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from pipeline.errors import during
from pipeline.suggest import suggest_path
from schemas.text import WHITE_SPACE

_COLUMNS: Final = 2
_WORKBOOK: Final = b"PK"
_DELIMITERS: Final = ",;\t"


def read_map_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """The pairs of a value-map file, trimmed, and what is wrong with it, a sentence each.

    The header line tells the delimiter: comma, semicolon or tab. Its names are free.
    """
    if not path.is_file():
        return {}, [f"there is no such file.{suggest_path(path)}"]
    with during("reading a value map"):
        content = path.read_bytes()
    if content.startswith(_WORKBOOK):
        return {}, ["is a workbook: save its sheet as 'CSV UTF-8 (comma delimited)'."]
    try:
        lines = _read_lines(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return {}, ["is not UTF-8 text."]
    except csv.Error as error:
        return {}, [f"is not a CSV file: {error}."]
    if not lines:
        return {}, ["is empty; it needs a header line."]
    return _read_pairs(lines)


def _read_lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines that hold something, header first, each with the line where it ends."""
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows = [(reader.line_num, [cell.strip(WHITE_SPACE) for cell in row]) for row in reader]
    return [(number, row) for number, row in rows if any(row)]


def _read_pairs(lines: list[tuple[int, list[str]]]) -> tuple[dict[str, str], list[str]]:
    pairs: dict[str, str] = {}
    problems: list[str] = []
    for number, row in lines:
        if len(row) != _COLUMNS:
            problems.append(f"line {number} must have two columns, it has {len(row)}.")
        elif number == lines[0][0]:
            continue
        elif row[0] in pairs:
            problems.append(f"line {number} has the key '{row[0]}' again.")
        else:
            pairs[row[0]] = row[1]
    return pairs, problems
