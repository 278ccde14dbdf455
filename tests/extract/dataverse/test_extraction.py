"""Reading a live Sales: complete, in order, once each, whatever happens on the way.

What cannot be true stops it.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.errors import (
    AccessDenied,
    AnswerUnreadable,
    RequestRefused,
    ServerFailed,
    Stopped,
    SystemStopped,
    Throttled,
)
from pipeline.extract.dataverse.checkpoint import write_checkpoint
from pipeline.extract.dataverse.extraction import ExtractionResult, RowTotal, RunNote
from pipeline.wire.pace import Pace
from tests.scenes.fake_sales import (
    TYPE,
    Fake,
    Row,
    account,
    as_sql_server,
    contact,
    extract,
    page,
    refusal,
)

ACCOUNTS = [account(number) for number in range(1, 7)]


def fake_of(rows: int = 1000, **settings: Any) -> Fake:
    return Fake(
        {"contacts": [contact(number) for number in range(rows)], "accounts": ACCOUNTS}, **settings
    )


def table(folder: Path, name: str = "contacts") -> pl.DataFrame:
    return pl.read_parquet(folder / "source" / f"{name}.parquet")


def queries(fake: Fake, name: str = "contacts") -> list[str]:
    return [
        request.url.query.decode()
        for request in fake.asked
        if request.url.path.endswith(f"/{name}")
    ]


def pages_of(fake: Fake, name: str = "contacts") -> list[str]:
    return [query for query in queries(fake, name) if "$top" not in query]


@pytest.mark.parametrize("parallel", [1, 8])
def test_every_row_is_landed_once_in_the_order_of_ids(tmp_path: Path, parallel: int) -> None:
    fake = fake_of(hint="8")
    extracted = extract(fake, tmp_path, parallel=parallel)
    found = table(tmp_path)
    assert found["contactid"].to_list() == sorted(
        (row["contactid"] for row in fake.tables["contacts"]), key=as_sql_server
    )
    assert found["source_line"].to_list() == list(range(1, 1001))
    assert found["source_file"].unique().to_list() == ["contacts"]
    assert extracted.landed["contacts"].rows == 1000
    assert extracted.totals == (
        RowTotal(table="contacts", read=1000, counted=1000),
        RowTotal(table="accounts", read=6, counted=6),
    )
    assert extracted.notes == ()
    assert [path.name for path in (tmp_path / "work").iterdir() if path.is_dir()] == []


def test_values_are_text_under_canonical_names(tmp_path: Path) -> None:
    rows = [
        contact(1, firstname=""),
        contact(7, firstname='"q" \\ \n😀'),
        contact(3, creditlimit=None),
    ]
    extract(Fake({"contacts": rows, "accounts": ACCOUNTS}), tmp_path)
    found = {row["msdynce_contactnumber"]: row for row in table(tmp_path).iter_rows(named=True)}
    assert found["CON-00001-ABCDEF"] | {"source_line": 0} == {
        "contactid": rows[0]["contactid"],
        "msdynce_contactnumber": "CON-00001-ABCDEF",
        "msdynce_isactivecustomer": "false",
        "msdynce_iscompanyanaccount": "true",
        "parentcustomerid": str(uuid.UUID(int=1)),
        "parentcustomeridtype": "account",
        "firstname": None,
        "creditlimit": "20000.0",
        "transactioncurrencyid": None,
        "merged": "false",
        "statecode": "0",
        "ownerid": str(uuid.UUID(int=1)),
        "owningbusinessunit": str(uuid.UUID(int=2)),
        "versionnumber": "1",
        "createdon": "2026-01-01T00:00:00Z",
        "modifiedon": "2026-01-02T00:00:00Z",
        "isdelete": None,
        "source_file": "contacts",
        "source_line": 0,
    }
    assert found["CON-00007-ABCDEF"]["firstname"] == '"q" \\ \n😀'
    assert found["CON-00007-ABCDEF"]["parentcustomeridtype"] is None


def test_only_what_is_needed_is_asked_for(tmp_path: Path) -> None:
    fake = fake_of(10)
    extract(fake, tmp_path, mapped=("firstname",))
    [contacts], [accounts] = pages_of(fake), pages_of(fake, "accounts")
    assert "firstname" in contacts
    assert "creditlimit" not in contacts
    prefer = {
        request.url.path.rsplit("/", 1)[1]: request.headers.get("Prefer", "")
        for request in fake.asked
    }
    assert TYPE[1:] in prefer["contacts"]
    assert "annotations" not in prefer["accounts"]
    assert "accountnumber" in accounts
    assert "cookie" not in {name for request in fake.asked for name in request.headers}


def test_a_large_table_is_read_in_several_ranges_at_once(tmp_path: Path) -> None:
    together, most, lock = 0, 0, threading.Lock()
    gate = threading.Event()

    def watch(request: httpx.Request, _: int) -> None:
        nonlocal together, most
        if "$filter" not in request.url.query.decode():
            return
        with lock:
            together += 1
            most = max(most, together)
        gate.wait(0.01)
        with lock:
            together -= 1

    fake = fake_of(3000, hint="4", fault=watch)
    extract(fake, tmp_path, page_rows=100)
    assert 2 <= most <= 4
    assert table(tmp_path)["contactid"].n_unique() == 3000
    assert len(queries(fake)) < 30 * 1.6, "ranges cost few requests beyond the pages"


def test_ids_that_lie_in_clusters_are_read_in_ranges_too(tmp_path: Path) -> None:
    nodes = ["000d3a111111", "000d3a222222", "6045bdabcdef"]
    ids = [f"{number:08x}-1be7-e611-8101-{nodes[number % 3]}" for number in range(1500)]
    fake = Fake(
        {
            "contacts": [contact(number, one) for number, one in enumerate(ids)],
            "accounts": ACCOUNTS,
        },
        hint="4",
    )
    extract(fake, tmp_path)
    assert table(tmp_path)["contactid"].to_list() == sorted(ids, key=as_sql_server)
    assert len([one for one in pages_of(fake) if "$filter" in one]) > 2


@pytest.mark.parametrize(
    "settings",
    [
        {"order": str},
        {"compare": str},
        {"order": str, "compare": as_sql_server},
        {"compare": lambda text: text[::-1]},
    ],
    ids=["texts", "compares texts", "orders texts", "compares backwards"],
)
def test_a_server_with_another_order_of_ids_is_read_completely(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    fake = fake_of(600, hint="6", **settings)
    extract(fake, tmp_path)
    ids = [row["contactid"] for row in fake.tables["contacts"]]
    assert table(tmp_path)["contactid"].to_list() == sorted(ids, key=as_sql_server)
    assert table(tmp_path)["source_line"].to_list() == list(range(1, 601))


def test_a_server_that_compares_no_ids_is_read_in_one_stream(tmp_path: Path) -> None:
    def refuse(request: httpx.Request, _: int) -> httpx.Response | None:
        is_range = "%20gt%20" in request.url.query.decode() or " gt " in request.url.query.decode()
        return (
            refusal(400, "0x80040203", "The operator is not valid for a unique identifier.")
            if is_range
            else None
        )

    fake = fake_of(600, fault=refuse)
    extract(fake, tmp_path)
    assert table(tmp_path)["contactid"].n_unique() == 600


def test_next_links_are_followed_as_they_are(tmp_path: Path) -> None:
    rows = [contact(number) for number in range(4)]
    cookie = "%3Ccookie%20pagenumber=%222%22%20x=%22%253c%2522a+b%22%20/%3E"
    odd = f"/api/data/v9.2/contacts?$select=contactid&$skiptoken={cookie}"
    seen = []

    def answer(request: httpx.Request, _: int) -> httpx.Response | None:
        if not request.url.path.endswith("/contacts"):
            return None
        seen.append(request.url.raw_path.decode())
        first = len(seen) == 1
        link = {"@odata.nextLink": f"https://contoso.example{odd}"} if first else {}
        return page({"value": rows[:2] if first else rows[2:], **link})

    extract(Fake({"contacts": rows, "accounts": ACCOUNTS}, fault=answer), tmp_path)
    assert seen[1] == odd
    assert table(tmp_path).height == 4


def once(count: int, answer: httpx.Response | Exception, *, path: str = "/contacts") -> Any:
    """A fault at the ``count``-th request of a table, and never again."""
    seen = [0]

    def fault(request: httpx.Request, _: int) -> httpx.Response | None:
        if not request.url.path.endswith(path):
            return None
        seen[0] += 1
        if seen[0] != count:
            return None
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return fault


WHOLE = page({"value": [contact(1)]}).content


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, headers={"Retry-After": "3"}, json={}),
        httpx.Response(503, json={}),
        httpx.Response(502, text="<html>Bad Gateway</html>"),
        httpx.Response(200, text="<html>wait</html>"),
        httpx.Response(200, content=WHOLE[: len(WHOLE) // 2]),
        httpx.Response(200, content=b""),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("peer closed connection"),
        httpx.ReadTimeout("slow"),
    ],
    ids=["429", "503", "502", "html", "cut", "empty", "reset", "closed", "slow"],
)
@pytest.mark.parametrize("count", [1, 4])
def test_a_passing_trouble_costs_nothing(
    tmp_path: Path, answer: httpx.Response | Exception, count: int
) -> None:
    fake = fake_of(400, fault=once(count, answer))
    extracted = extract(fake, tmp_path)
    assert table(tmp_path)["contactid"].n_unique() == 400
    assert extracted.traffic["contacts"].retries == 1


def after(count: int, answer: httpx.Response) -> Any:
    """A fault at every request of contacts from the ``count``-th on."""
    seen, lock = [0], threading.Lock()

    def fault(request: httpx.Request, _: int) -> httpx.Response | None:
        if not request.url.path.endswith("/contacts"):
            return None
        with lock:
            seen[0] += 1
            return (
                httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
                if seen[0] >= count
                else None
            )

    return fault


NO_ROLE = {
    "error": {
        "code": "0x80040220",
        "message": "Principal user is missing prvReadContact privilege.",
    }
}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (httpx.Response(429, headers={"Retry-After": "3"}, json={}), Throttled, "asks us to wait"),
        (httpx.Response(503, json={}), ServerFailed, "failed"),
        (httpx.Response(403, json=NO_ROLE), AccessDenied, "prvReadContact privilege"),
        (
            httpx.Response(200, text="<html>sign in</html>"),
            AnswerUnreadable,
            "answered contacts with a web page",
        ),
        (httpx.Response(200, content=WHOLE[:-20]), AnswerUnreadable, "incomplete JSON"),
    ],
)
def test_a_lasting_trouble_is_a_sentence_and_the_same_command_goes_on(
    tmp_path: Path, answer: httpx.Response, kind: type[SystemStopped], words: str
) -> None:
    fake = fake_of(1000, fault=after(9, answer))
    with pytest.raises(kind, match=words) as caught:
        extract(fake, tmp_path, parallel=2)
    assert caught.value.exit_code == (2 if kind is AccessDenied else 3)
    assert str(caught.value).startswith("Sales (contoso.example): ")
    assert not (tmp_path / "source" / "contacts.parquet").exists()
    fake.fault, fake.asked = None, []
    extract(fake, tmp_path, parallel=2)
    assert table(tmp_path)["contactid"].n_unique() == 1000
    assert table(tmp_path)["source_line"].to_list() == list(range(1, 1001))
    assert len(pages_of(fake)) <= 20 - 7 + 3, "pages that were on disk are not asked for again"


@pytest.mark.parametrize("parallel", [1, 4])
def test_stopped_at_every_request_it_ends_with_the_same_table(
    tmp_path: Path, parallel: int
) -> None:
    whole = fake_of(120, hint="4")
    extract(whole, tmp_path / "whole", parallel=parallel, page_rows=20)
    expected, requests = table(tmp_path / "whole"), len(queries(whole))
    assert requests > 5
    for count in range(1, requests + 1):
        folder = tmp_path / f"stopped-{count}"
        fake = fake_of(120, hint="4", fault=after(count, httpx.Response(403, json=NO_ROLE)))
        with pytest.raises(SystemStopped):
            extract(fake, folder, parallel=parallel, page_rows=20)
        fake.fault = None
        extract(fake, folder, parallel=parallel, page_rows=20)
        assert table(folder).equals(expected)


@pytest.mark.parametrize("last", range(2, 10))
def test_stopped_between_the_two_checkpoints_of_a_split_nothing_is_lost(
    tmp_path: Path, last: int
) -> None:
    written: list[Path] = []

    def write_until_full(path: Path, content: Mapping[str, object]) -> None:
        if len(written) >= last:
            raise OSError(28, "No space left on device")
        write_checkpoint(path, content)
        written.append(path)

    fake = fake_of(120, hint="3")
    with pytest.raises(Stopped, match="the disk is full"):
        extract(fake, tmp_path, parallel=3, page_rows=20, write=write_until_full)
    extract(fake, tmp_path, parallel=3, page_rows=20)
    assert table(tmp_path)["contactid"].n_unique() == table(tmp_path).height == 120


class Killed(BaseException):
    """The process is gone; no code catches it."""


def killing(monkeypatch: pytest.MonkeyPatch, at: int) -> list[str]:
    """Kills before the removal of a file of that number, from 1; the files that were removed."""
    removed: list[str] = []
    unlink = os.unlink

    def remove(path: Any, **options: Any) -> None:
        if len(removed) == at - 1:
            raise Killed
        unlink(path, **options)
        removed.append(str(path))

    monkeypatch.setattr(os, "unlink", remove)
    return removed


def test_killed_at_every_file_that_is_cleared_away_it_ends_with_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        removed = killing(patch, at=-1)
        extract(fake_of(120, hint="4"), tmp_path / "whole", parallel=1, page_rows=20)
    expected = table(tmp_path / "whole")
    assert any(one.endswith(".arrow") for one in removed)
    for at in range(1, len(removed) + 1):
        folder = tmp_path / f"killed-{at}"
        with monkeypatch.context() as patch:
            killing(patch, at)
            with pytest.raises(Killed):
                extract(fake_of(120, hint="4"), folder, parallel=1, page_rows=20)
        extract(fake_of(120, hint="4"), folder, parallel=1, page_rows=20)
        assert table(folder).equals(expected)
        assert [one.name for one in (folder / "work").iterdir()] == [".lock"]


def test_a_page_that_is_gone_lets_the_table_begin_anew(tmp_path: Path) -> None:
    fake = fake_of(400, fault=after(6, httpx.Response(403, json=NO_ROLE)))
    with pytest.raises(AccessDenied):
        extract(fake, tmp_path, parallel=1)
    next(tmp_path.rglob("*.arrow")).unlink()
    fake.fault = None
    extract(fake, tmp_path, parallel=1)
    assert table(tmp_path).height == 400


def told_ages(found: ExtractionResult) -> list[RunNote]:
    """What is said of tables whose rows were read by an earlier start."""
    return [one for one in found.notes if one.code == "rows_read_earlier"]


def test_what_an_earlier_extraction_left_counts_only_if_it_is_young_and_asked_the_same(
    tmp_path: Path,
) -> None:
    begun = datetime(2026, 5, 1, 8, tzinfo=UTC)
    for later, mapped, goes_on in (
        (1, ("firstname",), True),
        (5, ("firstname",), False),
        (1, ("firstname", "creditlimit"), False),
    ):
        folder = tmp_path / f"{later}-{len(mapped)}"
        fake = fake_of(400, fault=after(6, httpx.Response(403, json=NO_ROLE)))
        with pytest.raises(AccessDenied):
            extract(fake, folder, parallel=1, mapped=("firstname",), now=lambda: begun)
        fake.fault, fake.asked = None, []
        found = extract(
            fake,
            folder,
            parallel=1,
            mapped=mapped,
            now=lambda later=later: begun + timedelta(hours=later),
        )
        assert (len(pages_of(fake)) < 8) is goes_on
        assert any(one.detail.startswith("contacts, ") for one in told_ages(found)) is goes_on
        assert table(folder).height == 400


def test_what_goes_on_says_how_old_its_rows_are(tmp_path: Path) -> None:
    begun = datetime(2026, 5, 1, 8, tzinfo=UTC)
    fake = fake_of(400, fault=after(6, httpx.Response(403, json=NO_ROLE)))
    with pytest.raises(AccessDenied):
        extract(fake, tmp_path, parallel=1, now=lambda: begun)
    fake.fault = None
    found = extract(fake, tmp_path, parallel=1, now=lambda: begun + timedelta(hours=1))
    assert [one.detail.split(",")[0] for one in told_ages(found)] == ["contacts", "accounts"]
    assert all(
        one.detail.endswith(" rows from 2026-05-01 08:00 UTC on") for one in told_ages(found)
    )
    assert found.read_since == begun


def test_what_was_read_at_a_time_still_to_come_is_read_again(tmp_path: Path) -> None:
    """The clock was set back meanwhile."""
    begun = datetime(2026, 5, 1, 8, tzinfo=UTC)
    fake = fake_of(400, fault=after(6, httpx.Response(403, json=NO_ROLE)))
    with pytest.raises(AccessDenied):
        extract(fake, tmp_path, parallel=1, now=lambda: begun)
    fake.fault = None
    found = extract(fake, tmp_path, parallel=1, now=lambda: begun - timedelta(hours=1))
    assert found.read_since == begun - timedelta(hours=1)
    assert table(tmp_path).height == 400


def test_two_processes_do_not_extract_into_one_folder(tmp_path: Path) -> None:
    def again(_: httpx.Request, count: int) -> None:
        if count == 2:
            with pytest.raises(Stopped, match="another process is reading the same Sales"):
                extract(fake_of(10), tmp_path)

    extract(fake_of(10, fault=again), tmp_path)
    assert table(tmp_path).height == 10


def replaced(rows: list[Row], place: int, row: Row) -> list[Row]:
    return [*rows[:place], row, *rows[place + 1 :]]


def in_pages(
    rows: list[Row], size: int, link: str = "https://contoso.example/api/data/v9.2/contacts?p={}"
) -> Any:
    """Contacts page by page as they stand, without any order of the server's own."""

    def fault(request: httpx.Request, _: int) -> httpx.Response | None:
        if not request.url.path.endswith("/contacts"):
            return None
        number = int(request.url.params.get("p", "0"))
        shown = rows[number * size : (number + 1) * size]
        more = (
            {"@odata.nextLink": link.format(number + 1)} if (number + 1) * size < len(rows) else {}
        )
        return page({"value": shown, **more})

    return fault


GOOD = [contact(number) for number in range(60)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (replaced(GOOD, 45, GOOD[44]), "gives a row twice in one page in contacts"),
        (replaced(GOOD, 40, GOOD[5]), "gives a row twice in contacts"),
        (
            replaced(GOOD, 40, {**GOOD[40], "contactid": None}),
            "gives a row without a whole id in contacts",
        ),
        (
            replaced(GOOD, 40, {**GOOD[40], "contactid": "no id"}),
            "gives a row without a whole id in contacts",
        ),
        ([*GOOD[:20], *GOOD[:20], *GOOD[20:]], "begins two pages with the same row"),
    ],
    ids=["twice in a page", "twice", "missing", "malformed", "page twice"],
)
def test_a_repeated_or_missing_id_stops_the_run(
    tmp_path: Path, rows: list[Row], words: str
) -> None:
    fake = fake_of(60, fault=in_pages(rows, 20))
    with pytest.raises(AnswerUnreadable, match=words) as caught:
        extract(fake, tmp_path)
    assert "call again" in str(caught.value)
    fake.fault = None
    extract(fake, tmp_path)
    assert table(tmp_path).height == 60


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (
            "https://contoso.example/api/data/v9.2/contacts?p=1&x={}",
            "names the same next page of contacts twice",
        ),
        (
            "https://evil.example/contacts?p={}",
            "on another host, evil.example; p2c does not go there",
        ),
        ("http://contoso.example/contacts?p={}", "on another host"),
        ("https://contoso.example:444/contacts?p={}", "on another host"),
    ],
)
def test_a_next_link_that_leads_astray_is_not_followed(
    tmp_path: Path, link: str, words: str
) -> None:
    chosen = link.replace("&x={}", "") if "&x" in link else link
    fake = fake_of(60, fault=in_pages(GOOD, 20, chosen))
    with pytest.raises(AnswerUnreadable, match=words):
        extract(fake, tmp_path)
    assert {request.url.host for request in fake.asked} == {"contoso.example"}
    assert {request.url.port for request in fake.asked} == {None}


def test_a_missing_column_is_named_with_its_nearest_neighbour(tmp_path: Path) -> None:
    with pytest.raises(
        RequestRefused,
        match=r"has no column 'firstnam' in table contact\. Did you mean 'firstname'\?",
    ):
        extract(fake_of(10), tmp_path, mapped=("firstnam",))


def test_a_sales_without_the_solution_is_told_so(tmp_path: Path) -> None:
    rows = [{name: value for name, value in contact(1).items() if not name.startswith("msdynce_")}]
    with pytest.raises(RequestRefused, match="Is the solution Prospect to Cash installed there"):
        extract(Fake({"contacts": rows, "accounts": ACCOUNTS}), tmp_path)


def test_columns_beyond_the_catalogue_are_spelled_as_the_server_spells_them(tmp_path: Path) -> None:
    rows = [
        contact(number, new_region=f"r{number}", _new_siteid_value=str(uuid.UUID(int=9)))
        for number in range(3)
    ]
    fake = Fake({"contacts": rows, "accounts": ACCOUNTS})
    extract(fake, tmp_path, mapped=("new_siteid",), wished=("and", "new_region", "statecode"))
    found = table(tmp_path)
    assert set(found["new_region"].to_list()) == {"r0", "r1", "r2"}
    assert set(found["new_siteid"].to_list()) == {str(uuid.UUID(int=9))}


def test_a_side_table_that_is_not_there_is_left_out_and_contacts_are_not(tmp_path: Path) -> None:
    extracted = extract(fake_of(10), tmp_path, tables=("contacts", "quotes"))
    assert set(extracted.landed) == {"contacts"}
    assert extracted.notes == (RunNote(code="table_not_there", detail="quotes"),)
    with pytest.raises(RequestRefused, match="has no table contacts at this address"):
        extract(Fake({"accounts": ACCOUNTS}), tmp_path, tables=("contacts",))


def test_a_total_that_differs_is_told_with_both_figures(tmp_path: Path) -> None:
    extracted = extract(fake_of(10, totals={"contact": 12_345}), tmp_path)
    assert extracted.totals[0] == RowTotal(table="contacts", read=10, counted=12_345)
    assert extracted.notes == (
        RunNote(
            code="source_total_differs", detail="contacts: 10 rows were read, Sales counted 12,345"
        ),
    )


def test_an_empty_table_is_landed_as_one(tmp_path: Path) -> None:
    extracted = extract(
        Fake({"contacts": [], "accounts": ACCOUNTS}, fault=in_pages([], 1)), tmp_path
    )
    assert extracted.landed["contacts"].rows == 0
    assert table(tmp_path).height == 0


def test_a_row_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [contact(number) for number in range(4)]
    text = page({"value": rows}).content.replace("Zoë 2".encode(), b"Zo\\ud83d 2")

    def fault(request: httpx.Request, _: int) -> httpx.Response | None:
        return httpx.Response(200, content=text) if request.url.path.endswith("/contacts") else None

    extracted = extract(Fake({"contacts": rows, "accounts": ACCOUNTS}, fault=fault), tmp_path)
    [bad] = extracted.landed["contacts"].unreadable
    assert bad.detail == "firstname holds half a character"
    lines = table(tmp_path)["source_line"].to_list()
    assert len({*lines, bad.source_line}) == 4
    assert extracted.totals[0].read == 4


def test_requests_and_bytes_for_a_thousand_rows_are_data(tmp_path: Path) -> None:
    extracted = extract(fake_of(1000), tmp_path, parallel=1, page_rows=100)
    traffic = extracted.traffic["contacts"]
    assert traffic.rows == 1000
    assert traffic.requests_per_1000 == 10.0
    assert traffic.bytes_per_1000 is not None
    assert 500_000 < traffic.bytes_per_1000 < 800_000


def test_after_one_refusal_everything_waits_once(tmp_path: Path) -> None:
    waits: list[float] = []

    class Listening(Pace):
        def slow_down(self, seconds: float) -> None:
            waits.append(seconds)
            super().slow_down(seconds)

    extract(
        fake_of(600, fault=once(5, httpx.Response(429, headers={"Retry-After": "7"}, json={}))),
        tmp_path,
        pace=Listening,
    )
    assert len(waits) == 1
    assert 7.0 <= waits[0] <= 8.0
