"""What a plan can do without: a Sales that fails at it is asked a few times, then left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from pipeline.errors import LoginFailed, Throttled, Unreachable
from pipeline.wire.dataverse import Organization, Sales
from pipeline.wire.pace import Pace
from pipeline.wire.system import System

ME = "29d377e3-84aa-5725-abbc-191011f0dc7a"


class Asked:
    """A Sales that knows who is calling, and answers everything else with a failure."""

    def __init__(self, failure: Callable[[], httpx.Response]) -> None:
        self.paths: Counter[str] = Counter()
        self._failure = failure
        self._now = 0.0
        transport = httpx.MockTransport(self._answer)
        client = httpx.Client(base_url="https://a.test", transport=transport)
        pace = Pace(sleep=self._sleep, clock=lambda: self._now)
        system = System(name="Sales", client=client, pace=pace, clock=lambda: self._now)
        self.sales = Sales(system=system)

    def _sleep(self, seconds: float) -> None:
        self._now += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2].partition("(")[0]
        self.paths[name] += 1
        if name == "WhoAmI":
            return httpx.Response(200, json={"OrganizationId": ME})
        return self._failure()


FAILURES = {
    "500": lambda: httpx.Response(500, json={"error": {"code": "0x1", "message": "SQL timeout"}}),
    "502 of a gateway": lambda: httpx.Response(502, html="<html>"),
    "503": lambda: httpx.Response(503),
    "501": lambda: httpx.Response(501),
    "403": lambda: httpx.Response(403, json={"error": {"code": "0x1", "message": "no"}}),
    "404": lambda: httpx.Response(404, json={"error": {"code": "0x1", "message": "no"}}),
    "200 of something else": lambda: httpx.Response(200, text="{}}"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_plan_goes_on_without_the_answer(name: str) -> None:
    asked = Asked(FAILURES[name])
    assert asked.sales.organization() == Organization(id=ME, name="")
    assert asked.sales.totals(["contact", "account"]) == {}
    assert asked.sales.tracked() == frozenset()
    assert max(asked.paths.values()) <= 3


def test_a_count_that_fails_is_not_asked_for_table_by_table() -> None:
    asked = Asked(FAILURES["500"])
    asked.sales.totals([f"table{number}" for number in range(40)])
    assert asked.paths["RetrieveTotalRecordCount"] == 3


def _break_off() -> httpx.Response:
    raise httpx.ConnectError("gone")


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (lambda: httpx.Response(401), LoginFailed, "does not accept our login"),
        (lambda: httpx.Response(429), Throttled, "asks us to wait"),
        (_break_off, Unreachable, "cannot be reached"),
    ],
)
def test_what_every_other_question_would_meet_stops_the_plan(
    failure: Callable[[], httpx.Response], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        Asked(failure).sales.organization()
    with pytest.raises(kind, match=words):
        Asked(failure).sales.totals(["contact"])
    with pytest.raises(kind, match=words):
        Asked(failure).sales.tracked()
