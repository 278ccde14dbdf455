"""A backfill written into Sales.

Each row guarded by its version, alone in its failure, sent in few requests.
"""

from __future__ import annotations

from typing import Any

import httpx
import orjson
import polars as pl
import pytest

from pipeline.errors import AccessDenied
from pipeline.wire.salesrows import SalesRows
from tests.backfill.conftest import MakeScene
from tests.scenes.writing import COLUMNS, Scene


def expected(base: int, rows: int = 7) -> list[str]:
    return [f"CON-{base + rank:05d}-BACK{rank:02d}" for rank in range(rows)]


def is_batch(request: httpx.Request) -> bool:
    return request.url.path.endswith("$batch")


def once(scene: Scene, answer: httpx.Response | Exception, *, effect: bool = False) -> None:
    """The next batch gets this answer, with or without having had its effect.

    All later ones are answered as usual.
    """
    left = [answer]

    def before(request: httpx.Request) -> httpx.Response | None:
        if not (is_batch(request) and left):
            return None
        if effect:
            scene.wire.answer(request)
        reply = left.pop()
        if isinstance(reply, Exception):
            raise reply
        return reply

    scene.wire.before = before


def test_every_row_gets_what_was_planned_and_nothing_else_is_sent(scene: Scene) -> None:
    before = scene.contacts()
    start = scene.counter()["msdynce_numbersequence"]
    written = scene.write(size=3)
    assert written.outcomes == {"updated": 7}
    assert scene.numbers() == expected(start)
    there = scene.contacts()
    assert [there[one]["msdynce_isactivecustomer"] for one in scene.ids] == [
        True,
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    assert there[scene.ids[-1]]["msdynce_iscompanyanaccount"] is False
    assert [there[one] for one in scene.whole] == [before[one] for one in scene.whole], (
        "whole contacts were not touched"
    )
    assert scene.counter()["msdynce_numbersequence"] == start + 7
    assert scene.wire.count("$batch") == 3
    sent = b"".join(scene.wire.bodies)
    assert sent.count(b"msdynce_isactivecustomer") == 3
    assert sent.count(b"PATCH") == sent.count(b"If-Match: W/") == 7


def test_the_tables_tell_every_row_in_the_order_of_the_plan(scene: Scene) -> None:
    start = scene.counter()["msdynce_numbersequence"]
    written = scene.write()
    plan = pl.read_parquet(scene.run.path / "backfill-plan.parquet")
    table = pl.read_parquet(scene.run.path / "backfill.parquet")
    assert table["contactid"].to_list() == plan["contactid"].to_list()
    assert table["number_after"].to_list()[:7] == expected(start)
    assert table["outcome"].to_list() == [*["updated"] * 7, None, None]
    outcomes = pl.read_parquet(scene.run.outcomes)
    assert outcomes["contactid"].to_list() == scene.ids
    assert outcomes["batch"].to_list() == [1, 1, 2, 2, 3, 3, 4]
    assert set(written.files) == {"batches.parquet", "outcomes.parquet", "backfill.parquet"}
    assert pl.read_parquet(scene.run.batches)["updated"].sum() == 7


def test_a_row_changed_since_the_plan_fails_alone_and_is_named(scene: Scene) -> None:
    scene.change(scene.ids[1], jobtitle="changed")
    written = scene.write(size=7)
    assert written.outcomes == {"updated": 6, "failed": 1}
    assert scene.outcomes()[1] == ("failed", "changed_since_plan")
    assert scene.numbers()[1] is None
    assert scene.contacts()[scene.ids[1]]["jobtitle"] == "changed"


def test_a_number_that_appeared_meanwhile_wins_and_its_rank_stays_a_gap(scene: Scene) -> None:
    scene.change(scene.ids[1], msdynce_contactnumber="CON-77777-MINE00")
    scene.change(scene.ids[3], msdynce_contactnumber="CON-77778-MINE00")
    start = scene.counter()["msdynce_numbersequence"]
    scene.write(size=7)
    assert scene.outcomes()[1] == ("unchanged", "number_meanwhile")
    assert scene.outcomes()[3] == ("failed", "changed_since_plan"), "its flag is still to be raised"
    wanted: list[str | None] = list(expected(start))
    wanted[1], wanted[3] = "CON-77777-MINE00", "CON-77778-MINE00"
    assert scene.numbers() == wanted
    table = pl.read_parquet(scene.run.path / "backfill.parquet")
    assert table["number_after"].to_list()[1] is None


def test_rows_that_are_gone_taken_or_refused_fail_alone_with_their_codes(scene: Scene) -> None:
    start = scene.counter()["msdynce_numbersequence"]
    scene.change(scene.whole[0], msdynce_contactnumber=expected(start)[2])
    scene.ask("DELETE", f"contacts({scene.ids[0]})")
    plan = scene.frame_without(scene.ids[0])
    bad = (
        pl.when(pl.col("contactid") == scene.ids[4])
        .then(pl.lit("TOOLONGFORANYNUMBER"))
        .otherwise("suffix")
    )
    scene.run = scene.planned("20260101T000000Z-0002", plan.with_columns(suffix=bad))
    scene.write(size=10)
    table = pl.read_parquet(scene.run.path / "backfill.parquet")
    found = dict(table.select("contactid", "code").iter_rows())
    assert found[scene.ids[0]] == "gone_from_sales"
    assert found[scene.ids[2]] == "number_taken"
    assert found[scene.ids[4]] == "sales_refused"
    assert table["outcome"].drop_nulls().to_list().count("updated") == 4


def test_throttling_is_obeyed_by_the_whole_run_and_counted(scene: Scene) -> None:
    once(
        scene,
        httpx.Response(
            429,
            json={"error": {"code": "0x80072322", "message": "wait"}},
            headers={"Retry-After": "77"},
        ),
    )
    begin = scene.clock.seconds
    assert scene.write(size=7).outcomes == {"updated": 7}
    assert scene.clock.seconds - begin >= 77
    assert scene.sales.system.meter.total().throttled == 1
    assert scene.wire.count("$batch") == 2


def refusals(status: bytes, rows: int = 7) -> httpx.Response:
    """A batch of which every row has this answer."""
    head = b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 " + status
    part = head + b'\r\n\r\n{"error":{"code":"0x80040220","message":"no"}}\r\n'
    return httpx.Response(
        200,
        content=part * rows + b"--b--\r\n",
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )


def test_rows_that_fail_for_now_to_the_end_have_failed_and_say_so(scene: Scene) -> None:
    scene.wire.before = lambda request: (
        refusals(b"500 Internal Server Error") if is_batch(request) else None
    )
    assert scene.write(size=7).outcomes == {"failed": 7}
    assert {code for _, code in scene.outcomes()} == {"sales_busy"}


def test_when_every_row_is_denied_the_run_stops_before_it_wastes_the_rest(scene: Scene) -> None:
    scene.wire.before = lambda request: refusals(b"403 Forbidden", 1) if is_batch(request) else None
    with pytest.raises(AccessDenied):
        scene.write(size=1)
    assert scene.wire.count("$batch") == 1
    scene.calm()
    assert scene.write(size=1).outcomes == {"updated": 7}


def test_in_bulk_rows_go_by_one_message_and_after_a_failure_row_by_row(scenes: MakeScene) -> None:
    scene = scenes()
    start = scene.counter()["msdynce_numbersequence"]
    assert scene.write(size=7, in_bulk=True).outcomes == {"updated": 7}
    assert (scene.wire.count("UpdateMultiple"), scene.wire.count("$batch")) == (1, 0)
    assert scene.numbers() == expected(start)
    other = scenes()
    other.change(other.whole[0], msdynce_contactnumber=expected(start)[2])
    other.change(other.ids[3], jobtitle="changed")
    assert other.write(size=7, in_bulk=True).outcomes == {"updated": 5, "failed": 2}
    assert (other.wire.count("UpdateMultiple"), other.wire.count("$batch")) == (1, 1)
    assert [code for _, code in other.outcomes()] == [
        None,
        None,
        "number_taken",
        "changed_since_plan",
        None,
        None,
        None,
    ]


def test_headers_that_bypass_logic_go_with_every_row_and_only_when_set(scene: Scene) -> None:
    scene.write(size=7)
    assert not any(b"MSCRM." in body for body in scene.wire.bodies)
    options = {"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}
    scene.sales = SalesRows(system=scene.sales.system, options=options)
    for contactid in scene.ids:
        scene.change(contactid, msdynce_contactnumber=None)
    scene.run = scene.planned("20260101T000000Z-0002", scene.frame())
    scene.wire.bodies.clear()
    scene.write(size=7)
    assert (
        b"".join(scene.wire.bodies).count(
            b"MSCRM.BypassBusinessLogicExecution: CustomSync,CustomAsync"
        )
        == 7
    )


def test_columns_that_do_not_change_are_not_sent(scene: Scene) -> None:
    scene.write()
    lines = [
        line for body in scene.wire.bodies for line in body.split(b"\r\n") if line.startswith(b"{")
    ]
    rows = [set(orjson.loads(line)) & set(COLUMNS) for line in lines if b"contactnumber" in line]
    assert [sorted(row) for row in rows[:2]] == [sorted(COLUMNS[:2]), [COLUMNS[0]]]


@pytest.mark.parametrize("size", [1, 3])
def test_a_request_that_a_gateway_delivers_twice_comes_out_as_it_is(
    scene: Scene, size: int
) -> None:
    def deliver_first(request: httpx.Request) -> None:
        if is_batch(request):
            scene.wire.answer(request)

    scene.wire.before = deliver_first
    start = scene.counter()["msdynce_numbersequence"]
    assert scene.write(size=size).outcomes == {"updated": 7}
    assert scene.numbers() == expected(start)
    assert scene.outcomes() == [("updated", None)] * 7


def test_rows_read_back_on_several_pages_are_all_there(scene: Scene) -> None:
    """Nothing is said of a row that the first page does not have."""
    once(scene, httpx.ReadTimeout("lost"), effect=True)
    lose, kept = scene.wire.before, list[Any]()

    def before(request: httpx.Request) -> httpx.Response | None:
        if "page=2" not in str(request.url):
            return lose(request)
        return httpx.Response(200, json={"value": kept})

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "PropertyValues" not in str(request.url) or "page=2" in str(request.url):
            return response
        rows = response.json()["value"]
        kept[:] = rows[3:]
        link = f"{request.url}&page=2"
        return httpx.Response(200, json={"value": rows[:3], "@odata.nextLink": link})

    scene.wire.before, scene.wire.after = before, after
    assert scene.write(size=7).outcomes == {"updated": 7}
    assert len(kept) == 4
