"""What the surveys of all parts come to: the limit, the numbers, and the rank of each contact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.backfill.parts.survey import LastRowWork, PartSurvey, SurveyWork
from pipeline.engine.protocol import Engine
from sql.query import query
from sql.session import Session


def survey_parts(engine: Engine, kit: Path, parts: range) -> list[PartSurvey]:
    """The second pass."""
    return list(engine.map(SurveyWork(kit=kit), parts))


def find_last_row_of_all(
    engine: Engine, kit: Path, surveys: Sequence[PartSurvey], limit: int | None, rows: int
) -> int:
    """The last contact row that a limit lets through; all ``rows`` if it is never reached."""
    if limit == 0:
        return -1
    left = limit
    for part, one in enumerate(surveys):
        if left is None:
            break
        if one.selected >= left:
            (found,) = engine.map(LastRowWork(kit=kit, limit=left), [part])
            return found.row
        left -= one.selected
    return rows


def store_strays(main: Session, folder: Path, surveys: Sequence[PartSurvey]) -> None:
    """Name as ``evidence`` the customers of documents that no part has."""
    main.parquet("met", [folder / one.met for one in surveys])
    main.view("evidence", query("backfill/parts/strays"))


def find_highest(main: Session, pattern: str, surveys: Sequence[PartSurvey]) -> int:
    """The highest number in use, of contacts and of accounts."""
    of_accounts = main.frame(query("backfill/parts/highest"), pattern=pattern).item()
    return max(int(of_accounts), *(one.highest for one in surveys))


def name_wanted(main: Session, folder: Path, surveys: Sequence[PartSurvey]) -> None:
    """Name as ``wanted`` the contacts of all parts that get a number."""
    main.parquet("wanted", [folder / one.wanted for one in surveys])
