from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenes.sales_caller import ROOT, Caller

TRACK = "odata.track-changes"


@pytest.fixture
def sales() -> Iterator[Caller]:
    with Caller() as caller:
        for number in range(5):
            caller.create("contacts", lastname=f"Old {number}", msdynce_contactnumber=f"D-{number}")
        yield caller


def followed(sales: Caller, url: str, prefer: str = "") -> tuple[list[dict[str, Any]], str]:
    """All rows, and the delta link that is on the last page alone."""
    found: list[dict[str, Any]] = []
    while True:
        page = sales.get(url, prefer=prefer)
        found += page["value"]
        assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page)
        if "@odata.deltaLink" in page:
            return found, page["@odata.deltaLink"]
        url = page["@odata.nextLink"]
        assert "istracking%3D%22True%22" in url


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["lastname"] for row in rows if "lastname" in row]


def test_a_tracked_read_ends_in_a_delta_link_and_that_in_the_next(sales: Caller) -> None:
    rows, link = followed(sales, "contacts?$select=lastname", TRACK)
    assert sorted(names(rows)) == [f"Old {number}" for number in range(5)]
    assert re.fullmatch(
        rf"{re.escape(ROOT)}/contacts\?\$select=lastname&"
        r"\$deltatoken=\d+%2101%2F02%2F2026%2008%3A00%3A00",
        link,
    )
    nothing, same = followed(sales, link)
    assert (nothing, same) == ([], link)


def test_changes_come_in_order_then_deletions(sales: Caller) -> None:
    rows, link = followed(sales, "contacts?$select=lastname", TRACK)
    ids = {row["lastname"]: row["contactid"] for row in rows}
    sales.create("contacts", lastname="New")
    sales.ask("DELETE", f"contacts({ids['Old 1']})")
    sales.ask("PATCH", f"contacts({ids['Old 3']})", json={"lastname": "Changed"})
    gone = sales.create("contacts", lastname="Passing")
    sales.ask("DELETE", f"contacts({gone})")
    page = sales.get(link)
    assert page["@odata.context"] == f"{ROOT}/$metadata#contacts(lastname)/$delta"
    assert names(page["value"]) == ["New", "Changed"]
    deleted = {"@odata.context": f"{ROOT}/$metadata#contacts/$deletedEntity", "reason": "deleted"}
    assert page["value"][2:] == [{**deleted, "id": ids["Old 1"]}, {**deleted, "id": gone}]
    assert sales.ask("GET", link.replace("contacts?", "contacts/$count?")).text == "4"
    again, _ = followed(sales, page["@odata.deltaLink"])
    assert again == []


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_changes_come_in_pages_of_any_size(sales: Caller, size: int) -> None:
    rows, link = followed(sales, "contacts?$select=lastname", f"{TRACK},odata.maxpagesize={size}")
    for row in rows[:2]:
        sales.ask("DELETE", f"contacts({row['contactid']})")
    for row in rows[2:]:
        sales.ask("PATCH", f"contacts({row['contactid']})", json={"jobtitle": "x"})
    found, _ = followed(sales, link, f"odata.maxpagesize={size}")
    assert [row.get("contactid") for row in found[:3]] == [row["contactid"] for row in rows[2:]]
    assert [row.get("id") for row in found[3:]] == [row["contactid"] for row in rows[:2]]


def test_what_changes_while_pages_are_read_is_in_the_next_delta(sales: Caller) -> None:
    first = sales.get("contacts?$select=lastname", prefer=f"{TRACK},odata.maxpagesize=2")
    sales.ask(
        "PATCH", f"contacts({first['value'][0]['contactid']})", json={"lastname": "Meanwhile"}
    )
    _, link = followed(sales, first["@odata.nextLink"], "odata.maxpagesize=2")
    assert names(followed(sales, link)[0]) == ["Meanwhile"]


def test_only_what_really_changed_is_a_change(sales: Caller) -> None:
    _, link = followed(sales, "contacts?$select=lastname", TRACK)
    assert sales.ask("POST", "contacts", json={"lastname": "x" * 51}).status_code == 400
    sales.create("accounts", name="Other table")
    assert followed(sales, link)[0] == []


def test_activity_is_a_change_of_the_contact_whose_flag_it_raises(sales: Caller) -> None:
    rows, link = followed(sales, "contacts?$select=lastname", TRACK)
    body = {"name": "Q", "customerid_contact@odata.bind": f"contacts({rows[0]['contactid']})"}
    sales.create("quotes", **body)
    sales.create("quotes", **body)
    assert [row["contactid"] for row in followed(sales, link)[0]] == [rows[0]["contactid"]]


def test_tokens_expire_after_seven_days_or_what_the_organisation_says(sales: Caller) -> None:
    _, link = followed(sales, "contacts?$select=lastname", TRACK)
    sales.clock.pass_(days=6, hours=23)
    assert sales.ask("GET", link).status_code == 200
    sales.clock.pass_(hours=1)
    code, message = sales.refused("GET", link, 400)
    assert code == "0x80044352"
    assert "full sync" in message
    _, link = followed(sales, "contacts?$select=lastname", TRACK)
    (organization,) = sales.get("organizations?$select=expirechangetrackingindays")["value"]
    sales.ask(
        "PATCH",
        f"organizations({organization['organizationid']})",
        json={"expirechangetrackingindays": 0},
    )
    assert sales.refused("GET", link, 400)[0] == "0x80044352"


@pytest.mark.parametrize(
    "option", ["$filter=statecode eq 0", "$orderby=lastname", "$expand=ownerid", "$top=3"]
)
def test_some_options_are_not_for_tracking(sales: Caller, option: str) -> None:
    message = sales.refused("GET", f"contacts?{option}", 400, prefer=TRACK)[1]
    assert message == (
        f'The "{option.partition("=")[0]}" query parameter isn\'t supported when Change '
        "Tracking is enabled."
    )


def test_tables_without_tracking_and_broken_tokens_are_refused(sales: Caller) -> None:
    assert sales.ask("GET", "systemusers", prefer=TRACK).status_code == 400
    assert sales.ask("GET", "contacts?$deltatoken=yesterday").status_code == 400
