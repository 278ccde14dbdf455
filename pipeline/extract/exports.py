"""Exports of SCM as they come: files, folders, and the packages of Data management.

A package holds the files of its entities and a manifest. What does not name the legal entity of its
rows is named after it, as in ``usmf.csv`` or ``usmf/Customers V2.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from pipeline.errors import SourceError, UsageError, count_of
from pipeline.extract.files.bundles import is_zip
from pipeline.extract.files.discover import ENDINGS, FilePart, Form, find_ending, find_form
from pipeline.extract.files.entries import walk_files
from pipeline.extract.files.packed import list_members, open_content
from pipeline.extract.side_files import ReadOptions, land_aside
from pipeline.suggest import suggest_path
from schemas.catalogue import Table
from schemas.text import trimmed
from schemas.values import ERROR_WORDS, FRACTION, SHORTENED_NUMBER

AREA: Final = "dataAreaId"

_OPTIONS: Final = ReadOptions()
_OF_A_PACKAGE: Final = ("manifest.xml", "packageheader.xml")
_CHECKLIST: Final = "readme.txt"
"""What a folder load writes beside its packages."""
_PACKED: Final = (Form.DELIMITED, Form.PAGES, Form.LINES)
"""Forms that are read inside a zip."""
_FIRST: Final = 65_536
_FIELD: Final = re.compile(r"[A-Z][A-Z0-9_]*")
"""The name of a column in an export of Data management."""
_SPOILED: Final = f"^(?:{SHORTENED_NUMBER}|{FRACTION})$"
"""A number in the place of a key, as spreadsheets and data frames write it."""
_BETWEEN: Final = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Export:
    """One file; ``names`` are its name and those around it, the nearest first."""

    part: FilePart
    form: Form
    names: tuple[str, ...]
    is_alone: bool


def list_export_files(paths: Sequence[Path]) -> list[Path]:
    """The files that paths stand for: they themselves, and all below a folder but checklists.

    Raises:
        SourceError: a folder is closed to us.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [one for one in walk_files(path) if one.name.lower() != _CHECKLIST]
        else:
            found.append(path)
    return found


def land_exports(
    paths: Sequence[Path],
    tables: Mapping[str, Table],
    areas: Collection[str],
    where: str,
    into: Path,
) -> dict[str, pl.LazyFrame]:
    """Land exports as text, as large as they may be.

    Args:
        paths: files, packages and folders of them.
        tables: name of an entity → its export, with ``AREA`` among its fields. The first one fits
            whose needed columns a file has.
        areas: the legal entities that names of files and folders can mean.
        where: who names the paths, for messages.
        into: a folder for what is landed, which has to stay while the answer is read.

    Returns:
        Name → the rows of all its files, with the columns that they have. ``AREA`` is there if a
        file has it or is named after it.

    Raises:
        SourceError: there is nothing, a file or row cannot be read, or one of several files does
            not say its legal entity. A row that is lost here could turn a takeover into an
            overwrite.
        UsageError: a file is none of several tables.
    """
    found: dict[str, list[tuple[_Export, pl.LazyFrame]]] = {}
    files = [one for path in paths for one in _list_exports(path, where)]
    for place, one in enumerate(files):
        landed = _land(one, tables, where, into / f"export-{place}.parquet")
        if landed is not None:
            found.setdefault(landed[0], []).append((one, landed[1]))
    if not found:
        raise SourceError(
            f"no file there is an export of {' or '.join(tables)}.",
            where=f"{where}, {', '.join(path.name for path in paths)}",
        )
    return {name: _join(parts, areas, where) for name, parts in found.items()}


def _list_exports(path: Path, where: str) -> Iterator[_Export]:
    if not path.exists():
        raise SourceError(
            f"there is no such file or folder.{suggest_path(path)}", where=f"{where}, {path}"
        )
    root = path if path.is_dir() else path.parent
    for file in list_export_files([path]):
        inside = file.relative_to(root)
        around = (*reversed(inside.parent.parts), root.name) if path.is_dir() else ()
        if is_zip(file):
            yield from _list_packed(file, inside.as_posix(), around, where)
        elif file.name.lower() not in _OF_A_PACKAGE:
            name = inside.as_posix()
            if path.is_dir() and find_ending(file) not in ENDINGS:
                raise _make_refusal(name, where)
            yield _Export(
                part=FilePart(path=file, name=name),
                form=find_form(file),
                names=(_take_stem(file.name), *around),
                is_alone=not path.is_dir(),
            )


def _list_packed(
    archive: Path, name: str, around: tuple[str, ...], where: str
) -> Iterator[_Export]:
    """The files of a package, without those that describe it."""
    for one in list_members(archive, name):
        inside = PurePosixPath(one.member.replace("\\", "/"))
        if inside.name.lower() in _OF_A_PACKAGE:
            continue
        form = ENDINGS.get(find_ending(inside))
        if form not in _PACKED or find_ending(inside).endswith(".gz"):
            raise _make_refusal(f"{name}/{inside}", where)
        yield _Export(
            part=FilePart(path=archive, name=f"{name}/{inside}", member=one.member),
            form=form,
            names=(
                _take_stem(inside.name),
                *reversed(inside.parent.parts),
                _take_stem(archive.name),
                *around,
            ),
            is_alone=False,
        )


def _make_refusal(name: str, where: str) -> SourceError:
    return SourceError(
        "is not read there. Export CSV, or unpack it; remove it if it is something else.",
        where=f"{where}, {name}",
    )


def _take_stem(name: str) -> str:
    ending = find_ending(PurePosixPath(name))
    return name[: -len(ending)] if ending else name


def _land(
    one: _Export, tables: Mapping[str, Table], where: str, landed: Path
) -> tuple[str, pl.LazyFrame] | None:
    """The table that a file is, and its rows; null for one of another entity in a package."""
    problems: dict[str, SourceError] = {}
    for name, table in tables.items():
        try:
            frame, unreadable = land_aside(one.part, one.form, table, _OPTIONS, landed)
        except SourceError as error:
            problems[name] = error
            continue
        if unreadable:
            first = unreadable[0]
            raise SourceError(
                f"{count_of(len(unreadable), 'row')} cannot be read, the first in "
                f"line {first.source_line}: {first.detail}.",
                where=f"{where}, {one.part.name}",
            )
        _refuse_spoiled_keys(frame, table, f"{where}, {one.part.name}")
        return name, frame.drop("source_line")
    if not one.is_alone and _is_of_others(one, tables):
        return None
    if len(problems) == 1:
        raise SourceError(next(iter(problems.values())).message, where=f"{where}, {one.part.name}")
    texts = [f"as {name}: {error.message}" for name, error in problems.items()]
    raise UsageError(f"{where} {one.part.name} is an export of neither entity. {' '.join(texts)}")


def _refuse_spoiled_keys(frame: pl.LazyFrame, table: Table, where: str) -> None:
    """Refuse keys that a spreadsheet or a data frame wrote otherwise: they would name nobody.

    Raises:
        SourceError: there is one.
    """
    needed = dict.fromkeys([table.key, *(name for group in table.required for name in group)])
    there = frame.collect_schema().names()
    for name in (name for name in needed if name in there):
        text = trimmed(pl.col(name))
        is_spoiled = text.is_in(ERROR_WORDS) | text.str.contains(_SPOILED)
        count, first = (
            frame.filter(is_spoiled)
            .select(pl.len(), pl.col("source_line").first())
            .collect(engine="streaming")
            .row(0)
        )
        if count:
            raise SourceError(
                f"{name} of {count_of(count, 'row')}, the first in line {first}, was spoiled by a "
                "spreadsheet or a script: it is an error such as #REF!, or a number such as "
                "4.93E+11 or 1000.0. Export it again, and do not save it in a spreadsheet.",
                where=where,
            )


def _is_of_others(one: _Export, tables: Mapping[str, Table]) -> bool:
    """Whether a file is plainly of another entity.

    Its first line has names of columns as Data management writes them, and no key of ours.
    """
    if one.form is not Form.DELIMITED:
        return False
    with open_content(one.part.content, one.part.name, _OPTIONS) as file:
        head = file.read(_FIRST)
    code = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    first = head[: len(head) // 2 * 2].decode(code, "replace").lstrip("\r\n").splitlines()[:1]
    cells = [cell.strip().strip('"') for cell in re.split("[,;\t|]", first[0])] if first else []
    ours = {
        name.upper()
        for table in tables.values()
        for key in (table.key, *(one for group in table.required for one in group))
        if (field := table.field(key)) is not None
        for name in (field.name, *field.names)
    }
    return bool(cells) and all(_FIELD.fullmatch(cell) and cell not in ours for cell in cells)


def _join(
    parts: Sequence[tuple[_Export, pl.LazyFrame]], areas: Collection[str], where: str
) -> pl.LazyFrame:
    """The rows of all files, each with its legal entity.

    Only a single file may leave open which that is.
    """
    known = {one.lower(): one for one in areas}
    frames = []
    for one, frame in parts:
        area = _find_area(one.names, known)
        has_area = AREA in frame.collect_schema()
        if area is None and not has_area and len(parts) > 1:
            there = ", ".join(known.values()) or "none"
            raise SourceError(
                f"says the legal entity of its rows neither in a column {AREA} nor in its name. "
                f"Name it after one of the project's ({there}), as in usmf.csv, or remove it.",
                where=f"{where}, {one.part.name}",
            )
        if area is not None:
            given = pl.col(AREA) if has_area else pl.lit(None, pl.String)
            frames.append(frame.with_columns(pl.coalesce(given, pl.lit(area)).alias(AREA)))
        else:
            frames.append(frame)
    return pl.concat(frames, how="diagonal")


def _find_area(names: Sequence[str], known: Mapping[str, str]) -> str | None:
    """The one legal entity that the nearest of some names means; null for none or several."""
    for name in names:
        if name.lower() in known:
            return known[name.lower()]
        found = {word.lower() for word in _BETWEEN.split(name)} & known.keys()
        if found:
            return known[found.pop()] if len(found) == 1 else None
    return None
