"""Pages that were saved one by one: what is missing, and what is there twice."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from pipeline.errors import SourceError
from pipeline.extract.pages import SavedPage, refuse_missing_pages


def make_link(number: int) -> str:
    """The link to a page as Dataverse writes it; what it holds is encoded once more."""
    cookie = f'<cookie pagenumber="{number}" pagingcookie="{quote(quote("<cookie page=1>"))}" />'
    return f"https://org.crm.dynamics.com/api/data/v9.2/contacts?$skiptoken={quote(cookie)}"


def page(number: int, next_number: int | None = None, *, of: str = "a") -> SavedPage:
    """A page of the query ``of``, with other ids than those of every other one."""
    return SavedPage(
        file=f"{of}{number}.json",
        rows=5,
        ends=(f"{of}{number}", f"{of}{number}z"),
        next_link="" if next_number is None else make_link(next_number),
    )


@pytest.mark.parametrize(
    "pages",
    [
        [],
        [page(1)],
        [page(1, 2), page(2, 3), page(3)],
        [page(3), page(1, 2), page(2, 3)],
        [page(1, 2), page(2), page(1, of="b")],
        [page(1, 2), page(2, 3), page(3), page(1, 2, of="b"), page(2, of="b")],
        [page(number, number + 1) for number in range(1, 12)] + [page(12)],
    ],
    ids=["none", "one", "three", "any order", "two queries", "long and short", "more than ten"],
)
def test_sets_that_are_whole_pass(pages: list[SavedPage]) -> None:
    refuse_missing_pages(pages, "contacts")
    assert [one.next_number for one in pages if one.next_link].count(None) == 0


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([page(1, 2)], "the page names a next page .*, and page 2 is missing"),
        ([page(1, 2), page(2, 3)], "all 2 pages name a next page .*, and page 3 is missing"),
        ([page(1, 2), page(3, 4), page(4)], "page 2 is missing, for a3.json is page 3"),
        ([page(2, 3), page(3)], "page 1 is missing, for a2.json is page 2"),
        ([page(1, 2), page(4, 5), page(5)], "pages 2 to 3 are missing, for a4.json is page 4"),
        ([page(1, 2), page(1, 2), page(2)], "a page is there twice: a1.json and a1.json"),
        ([page(1, 2), page(2), page(2)], "a page is there twice: a2.json and a2.json"),
        ([page(1, 2), page(2), page(1, 2, of="b")], "one lacks its last page"),
    ],
    ids=["alone", "last", "second", "first", "two", "twice", "last twice", "last of a second set"],
)
def test_what_is_missing_or_there_twice_is_named(pages: list[SavedPage], words: str) -> None:
    with pytest.raises(SourceError, match=f"^contacts: .*{words}"):
        refuse_missing_pages(pages, "contacts")


def test_links_without_a_number_say_only_that_there_is_a_next_page() -> None:
    one = SavedPage(file="1.json", rows=1, next_link="https://org/next?token=abc")
    assert one.next_number is None
    refuse_missing_pages([one, page(2)], "contacts")
    with pytest.raises(SourceError, match="all 2 pages name a next page"):
        refuse_missing_pages([one, one], "contacts")


def test_pages_have_as_many_rows_as_one_of_them_says() -> None:
    first, second = replace(page(1, 2), total=10), page(2)
    refuse_missing_pages([first, second], "contacts")
    words = "there are 11 rows or more .*, and has 10"
    with pytest.raises(SourceError, match=f"^contacts: is not whole: it says that {words}"):
        refuse_missing_pages([replace(first, total=11), second], "contacts")


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_number_is_found_however_often_the_link_is_encoded(times: int) -> None:
    cookie = '<cookie pagenumber="17" istracking="False" />'
    for _ in range(times):
        cookie = quote(cookie)
    assert SavedPage(file="1.json", rows=1, next_link=cookie).next_number == 17
