"""Folders by time: what Synapse Link writes for incremental updates.

Each folder has the rows that changed in one interval, and a model of its own. The newest one may
still be written to; ``Changelog/changelog.info`` names it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError, reading
from pipeline.extract.files.entries import list_folders, measure_file
from pipeline.extract.files.model import MODEL, CdmModel, read_cdm_model

_NAME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d)[.:_-]?(\d\d)[.:_-]?(\d\d)(?:[.:,](\d{1,9}))?Z?", re.IGNORECASE
)
_CHANGELOG: Final = "Changelog"
_CURRENT: Final = f"{_CHANGELOG}/changelog.info"
_HISTORY: Final = f"{_CHANGELOG}/Synapse.log"
_LONGEST: Final = 64 * 1024 * 1024

Moment = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """One folder by time: its model, none where it has none."""

    path: Path
    moment: Moment
    model: CdmModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Intervals:
    """Folders by time, oldest first: those that are whole, and those still written to.

    ``gone`` are the names of folders that the service wrote and that are not there.
    """

    whole: tuple[Interval, ...] = ()
    unfinished: tuple[Interval, ...] = ()
    gone: tuple[str, ...] = ()


def read_moment(name: str) -> Moment | None:
    """The time that a folder's name says; none if it is no such name."""
    found = _NAME.fullmatch(name.strip())
    if found is None:
        return None
    *parts, fraction = found.groups()
    return (*map(int, parts), int((fraction or "0").ljust(9, "0")))


def find_intervals(root: Path) -> Intervals:
    """The folders by time of a folder; none of any kind if it has none.

    Raises:
        SourceError: a model or the change log cannot be read.
    """
    moments = {path: read_moment(path.name) for path in list_folders(root)}
    dated = sorted((moment, path) for path, moment in moments.items() if moment is not None)
    if not dated:
        return Intervals()
    current = _read_current(root)
    closed = [(moment, path) for moment, path in dated if current is None or moment < current]
    whole = [Interval(path=path, moment=moment, model=_read_model(path)) for moment, path in closed]
    if current is None and whole[-1].model is None and any(one.model for one in whole):
        closed, whole = closed[:-1], whole[:-1]
    return Intervals(
        whole=tuple(whole),
        unfinished=tuple(
            Interval(path=path, moment=moment) for moment, path in dated[len(closed) :]
        ),
        gone=tuple(_list_gone(root, [moment for moment, _ in dated], current)),
    )


def _read_model(folder: Path) -> CdmModel | None:
    """The folder's own model; none if it is not there, or has nothing in it yet."""
    path, name = folder / MODEL, f"{folder.name}/{MODEL}"
    with reading(name):
        if not path.is_file() or not measure_file(path, name):
            return None
    return read_cdm_model(path, name)


def _read_current(root: Path) -> Moment | None:
    """The folder that the service writes to, as it says itself; none if it does not say."""
    text = _read_text(root, _CURRENT).strip()
    if not text:
        return None
    found = read_moment(text.splitlines()[0].strip("/ "))
    if found is None:
        raise SourceError(
            "does not name the folder that Synapse Link writes to, as in 2024-03-05T10.00.00Z.",
            where=_CURRENT,
        )
    return found


def _list_gone(root: Path, there: Sequence[Moment], current: Moment | None) -> list[str]:
    """Folders that the service's list has, newer than the first one that is there, and are gone."""
    listed = {
        moment: line.strip().strip("/ ")
        for line in _read_text(root, _HISTORY).splitlines()
        if (moment := read_moment(line.strip("/ "))) is not None
    }
    return [
        name
        for moment, name in sorted(listed.items())
        if moment not in there and moment > there[0] and (current is None or moment < current)
    ]


def _read_text(root: Path, name: str) -> str:
    path = root / name
    with reading(name):
        if not path.is_file() or measure_file(path, name) > _LONGEST:
            return ""
        return path.read_bytes().decode("utf-8-sig", errors="replace")
