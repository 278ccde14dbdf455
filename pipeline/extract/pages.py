"""Pages of one query that were saved one by one: whether all of them are there.

A page says which one comes next, and page 3 is named by page 2 only. So the names tell what is
missing, in whatever order the files are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pipeline.errors import SourceError

_NUMBER: Final = re.compile(r"pagenumber\s*=\s*[\"']?(\d+)", re.IGNORECASE)
_TIMES: Final = 4
"""How often a link can be encoded."""

_SECOND: Final = 2
"""The number that the first page names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedPage:
    """One page: its file, its rows and the ids of the first and the last, and the next page's link.

    ``next_link`` is blank for the last page. ``total`` is how many rows all pages have at least, if
    the page says it. ``next_name`` and ``total_name``: under which names it says so.
    """

    file: str
    rows: int
    ends: tuple[str | None, str | None] = (None, None)
    next_link: str = ""
    next_name: str = "@odata.nextLink"
    total: int = 0
    total_name: str = "@odata.count"

    @property
    def next_number(self) -> int | None:
        """The number of the next page, if there is one and its link tells."""
        text = self.next_link
        for _ in range(_TIMES):
            found = _NUMBER.search(text)
            if found is not None:
                return int(found.group(1))
            text = unquote(text)
        return None


def refuse_missing_pages(pages: Sequence[SavedPage], where: str) -> None:
    """Hold the pages of a table against one another.

    Args:
        pages: all pages, in any order; several queries may have their pages there.
        where: the table's file or folder, for messages.

    Raises:
        SourceError: a page is missing, or is there twice, or there are fewer rows than one says.
    """
    followed = [page for page in pages if page.next_link]
    last = [page for page in pages if not page.next_link]
    numbers = [page.next_number for page in followed]
    if followed and not last:
        raise SourceError(_explain_end(pages, numbers), where=where)
    problem = None
    if None not in numbers:
        problem = _explain_gap(followed, len(last)) or (followed and _explain_repeat(last))
    problem = problem or (_explain_count(pages) if pages else None)
    if problem:
        raise SourceError(problem, where=where)


def _explain_end(pages: Sequence[SavedPage], numbers: Iterable[int | None]) -> str:
    names = "the page names" if len(pages) == 1 else f"all {len(pages)} pages name"
    missing = max((number for number in numbers if number is not None), default=None)
    which = "" if missing is None else f", and page {missing} is missing"
    return (
        f"is not whole: {names} a next page ('{pages[0].next_name}'){which}. Add what is missing, "
        "or delete the name of the next page in the last file if it should not count."
    )


def _explain_gap(followed: Sequence[SavedPage], ends: int) -> str | None:
    """What is wrong with the numbers of next pages.

    Page k names page k + 1, so each number is named once by every query that goes so far: never
    more often than the number before it, and the first one never more often than queries end.
    """
    named = Counter(page.next_number for page in followed if page.next_number is not None)
    for number in sorted(named):
        before = ends if number == _SECOND else named[number - 1]
        if named[number] <= before:
            continue
        twice = _find_repeated([page for page in followed if page.next_number == number])
        if twice is not None:
            return twice
        if number == _SECOND:
            return "is not whole: of several sets of pages one lacks its last page. Add it."
        first = max((other for other in named if other < number), default=1)
        missing = f"page {first}" if first == number - 2 else f"pages {first} to {number - 2}"
        one = next(page for page in followed if page.next_number == number)
        return (
            f"is not whole: {missing} {'is' if first == number - 2 else 'are'} missing, for "
            f"{one.file} is page {number - 1}. Save all pages again."
        )
    return None


def _find_repeated(pages: Sequence[SavedPage]) -> str | None:
    for place, page in enumerate(pages):
        for other in pages[place + 1 :]:
            if page.rows and (page.ends, page.rows) == (other.ends, other.rows):
                return f"a page is there twice: {page.file} and {other.file}. Delete one."
    return None


def _explain_count(pages: Sequence[SavedPage]) -> str | None:
    rows, counted = sum(page.rows for page in pages), max(pages, key=lambda one: one.total)
    if rows >= counted.total:
        return None
    said = f"there are {counted.total:,} rows or more ('{counted.total_name}')"
    return (
        f"is not whole: it says that {said}, and has {rows:,}. Save all pages again, without $top; "
        "delete the count if it should not count."
    )


def _explain_repeat(last: Sequence[SavedPage]) -> str | None:
    return _find_repeated(last) if len(last) > 1 else None
