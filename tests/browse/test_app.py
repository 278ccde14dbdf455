"""The pages of a run as a browser gets them, and who gets none."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest

from pipeline.audit.record_links import RECORD
from pipeline.browse.guard import HEADERS
from pipeline.plan.only import read_only_ids
from pipeline.run.folder import RunFolder
from tests.browse.conftest import WORD, Asking
from tests.scenes.small import contactid, number

FIRST = f"/{WORD}/"
PATHS = ("", "contact?file=contacts.csv&line=2", "retry.txt", "style.css", "nothing")


def test_the_first_page_lists_what_needs_a_person(asking: Asking) -> None:
    page = asking.get(FIRST).text
    assert "2 contacts" in page
    assert contactid(10) in page, "one without a number is named by its id"
    assert number(11) in page
    assert number(1) not in page
    assert "contact11@example.com" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("text=NUMBER3", {3}),
        ("text=contact4@", {4}),
        (f"text={number(5).lower()}", {5}),
        (f"text=%7B{contactid(2).upper()}%7D", {2}),
        ("text=fourth+coffee", {6, 7, 8}),
        ("text=acc-01000", {6, 7, 8}),
        ("decision=contact", {6, 7, 8}),
        ("decision=held", {10}),
        ("code=too_long", {11}),
        ("code=contact_number_missing&decision=rejected", set()),
        ("entity=-", {9}),
        ("entity=usmf&decision=rejected", {11}),
        ("text=%27%22%24text%3B--%00", set()),
        ("decision=nonsense", set()),
        ("owner=nobody", set()),
        ("text=ada&page=99999999999999999999", set(range(1, 12))),
    ],
)
def test_contacts_are_found(asking: Asking, asked: str, found: set[int]) -> None:
    query = asked if "decision" in asked else f"{asked}&decision=all"
    listed = asking.get(f"{FIRST}retry.txt?{query}")
    assert listed.text.split() == [contactid(one) for one in sorted(found)]
    assert asking.get(f"{FIRST}?{query}").status_code == 200


def test_the_list_is_what_plan_only_takes(asking: Asking, tmp_path: Path) -> None:
    (tmp_path / "retry.txt").write_bytes(asking.get(f"{FIRST}retry.txt").content)
    assert read_only_ids(tmp_path / "retry.txt")["contactid"].to_list() == [
        contactid(10),
        contactid(11),
    ]


def test_a_contact_has_its_story_and_a_link_into_sales(asking: Asking) -> None:
    page = asking.get(f"{FIRST}contact?file=contacts.csv&line=12").text
    for text in (
        "Ada", "too_long", "has at most 25 characters", "contact11@example.com",
        escape(f"https://sales.example{RECORD}{contactid(11)}"),
    ):  # fmt: skip
        assert text in page


@pytest.mark.parametrize("query", ["", "line=2", "file=contacts.csv&line=99", "line=x&file=y"])
def test_a_contact_that_is_not_there_is_a_page_too(asking: Asking, query: str) -> None:
    answer = asking.get(f"{FIRST}contact?{query}")
    assert answer.status_code == 404
    assert "no such contact" in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("method", "root", "headers", "status"),
    [
        ("GET", "/", {}, 404),
        ("GET", "/token-of-a-tesu/", {}, 404),
        ("GET", f"{FIRST[:-2]}/", {}, 404),
        ("GET", "/ü/", {}, 404),
        ("GET", FIRST, {"Host": "evil.example:8000"}, 421),
        ("GET", FIRST, {"Host": "localhost"}, 421),
        ("GET", FIRST, {"Host": "localhost:8001"}, 421),
        ("GET", FIRST, {"Host": ""}, 421),
        ("GET", FIRST, {"Origin": "http://evil.example"}, 403),
        ("GET", FIRST, {"Origin": "null"}, 403),
        ("GET", FIRST, {"Origin": "https://localhost:8000"}, 403),
        ("POST", FIRST, {}, 405),
        ("DELETE", FIRST, {}, 405),
        ("OPTIONS", FIRST, {}, 405),
    ],
)
def test_nobody_else_gets_anything(
    asking: Asking, path: str, method: str, root: str, headers: dict[str, str], status: int
) -> None:
    answer = asking.request(method, f"{root}{path}", headers=headers)
    assert answer.status_code == status
    assert "contact11" not in answer.text
    assert HEADERS.items() <= {name: answer.headers.get(name) for name in HEADERS}.items()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "127.0.0.1:8000"},
        {"Host": "[::1]:8000", "Origin": "http://[::1]:8000"},
        {"Host": "LOCALHOST:8000", "Origin": "http://localhost:8000"},
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_this_machine_gets_pages_that_nothing_keeps(
    asking: Asking, path: str, headers: dict[str, str]
) -> None:
    answer = asking.get(f"{FIRST}{path}", headers=headers)
    assert answer.status_code == (404 if path == "nothing" else 200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text


def test_a_page_shows_what_a_name_must_not_do(asking: Asking) -> None:
    page = asking.get(f"{FIRST}?text=%3Cb%3E%22%E2%80%AE&decision=%3Ci%3E").text
    assert "<b>" not in page
    assert "<i>" not in page
    assert "\u202e" not in page


def test_a_run_that_breaks_meanwhile_is_a_page_without_values(
    asking: Asking, run: RunFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    run.decisions.write_bytes(b"cut")
    answer = asking.get(f"{FIRST}?text=secretname")
    assert answer.status_code == 500
    assert "p2c verify" in answer.text
    assert "secretname" not in "".join(capfd.readouterr())
    assert "secretname" not in answer.text
    assert asking.get(f"{FIRST}contact?file=contacts.csv&line=2").status_code == 500


def test_searching_leaves_the_run_folder_as_it_was(asking: Asking, run: RunFolder) -> None:
    def state() -> dict[Path, float]:
        return {one: one.stat().st_mtime_ns for one in run.path.rglob("*")}

    before = state()
    for path in PATHS:
        asking.get(f"{FIRST}{path}")
    assert state() == before
