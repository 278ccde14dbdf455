"""Next links: only to the system itself, never twice, and to an end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import httpx
import pytest

from pipeline.errors import AnswerUnreadable
from pipeline.wire.links import Links
from pipeline.wire.scm import Scm
from tests.fuzz.readers import Answer, answering

HOME = httpx.URL("https://scm.test/")
PAGES = 200


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://scm.test.example/data", "on another host"),
        ("http://scm.test/data", "on another host"),
        ("https://scm.test:8443/data", "on another host"),
        ("https://scm.test@evil.example/data", "on another host"),
        ("//evil.example/data", "on another host"),
        ("\\\\evil.example\\data", ""),
        ("https://[::1/", "that is not an address"),
        ("javascript:alert(1)", "on another host"),
        ("file:///etc/passwd", "on another host"),
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed(link: str, words: str) -> None:
    links = Links(HOME, "SCM", "contacts")
    if words:
        with pytest.raises(AnswerUnreadable, match=words):
            links.checked(link)
    else:
        assert HOME.join(links.checked(link)).host == "scm.test"


@pytest.mark.parametrize("make", [lambda _: [], lambda _: [{"CustomerAccount": "A"}]])
def test_pages_with_nothing_new_come_to_an_end(make: Callable[[int], list[object]]) -> None:
    numbers = count()

    def respond(request: httpx.Request) -> httpx.Response:
        number = next(numbers)
        assert number < PAGES
        rows, link = make(number), f"https://scm.test/data/X?page={number}"
        return httpx.Response(200, json={"value": rows, "@odata.nextLink": link}, request=request)

    system = answering(Answer())
    system.client = httpx.Client(base_url=HOME, transport=httpx.MockTransport(respond))
    with pytest.raises(AnswerUnreadable, match="nothing new; reading would never end"):
        list(Scm(system=system, blobs=system).pages("X"))


def test_pages_with_few_rows_that_are_new_are_read() -> None:
    links = Links(HOME, "SCM", "contacts")
    for number in range(PAGES):
        links.note([number // 2])
    assert links.checked("https://scm.test/data?page=1")
