"""Contacts found by a part of a name or mail; one that is found alone is explained."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.audit.search import Choice, Wanted, open_search
from pipeline.commands.explain import find_contacts
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import UsageError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.run.evidence import gather_evidence
from pipeline.run.folder import RunFolder, find_run
from tests.scenes.small import contactid, number, rows


def test_several_contacts_are_listed_with_number_and_decision(common: Flags) -> None:
    found = find_contacts(common, "NUMBER1", "latest")
    assert [one["contactid"] for one in found.items] == [contactid(1), contactid(10)]
    assert f"{number(1)}  Ada Number1  contact1@example.com  customer/active_customer" in str(
        found.text
    )
    assert "no number  Ada Number10  contact10@example.com  held/contact_number_missing" in str(
        found.text
    )


@pytest.mark.parametrize("words", ["contact4@EXAMPLE", "da number4"])
def test_one_contact_is_explained(common: Flags, words: str) -> None:
    found = find_contacts(common, words, "latest")
    (item,) = found.items
    assert isinstance(item["source"], dict)
    assert item["source"]["emailaddress1"] == "contact4@example.com"
    assert str(found.text).startswith(f"Contact {contactid(4)}")


@pytest.mark.parametrize("words", ["Lovelace", number(1), "%", "contact_@", "'", "$text"])
def test_a_text_that_no_name_has_is_a_usage_error_without_the_text(
    common: Flags, words: str
) -> None:
    with pytest.raises(UsageError, match="no contact of this run has that text") as error:
        find_contacts(common, words, "latest")
    assert "Lovelace" not in str(error.value)


@pytest.mark.parametrize("words", ["", " "])
def test_a_blank_text_finds_nobody(common: Flags, words: str) -> None:
    with pytest.raises(UsageError, match="--find needs a text"):
        find_contacts(common, words, "latest")


def test_without_the_rows_that_were_read_names_are_not_known(common: Flags, run: RunFolder) -> None:
    shutil.rmtree(run.path / "source")
    with pytest.raises(UsageError, match="Name the contact by its number"):
        find_contacts(common, "Ada", "latest")


def test_decisions_that_cannot_be_read_are_said(common: Flags, run: RunFolder) -> None:
    run.decisions.write_bytes(b"cut")
    with pytest.raises(UsageError, match="p2c verify"):
        find_contacts(common, "Ada", "latest")


PEOPLE = [
    {
        "firstname": "Åsa",
        "lastname": "ÖBERG",
        "emailaddress2": "Second@example.com",
        "ownerid": "B",
    },
    {"fullname": "  ", "firstname": "Only", "lastname": "Parts", "ownerid": "A"},
    {"fullname": "Whole Name", "firstname": "Other", "lastname": "Words", "ownerid": "A"},
]


@pytest.fixture
def owned(source: Callable[[list[dict[str, str]]], Path], tmp_path: Path) -> RunFolder:
    """Three held contacts of two owners, with names in several columns."""
    contacts = [
        {
            **row,
            **{name: person.get(name, "") for name in sorted({*PEOPLE[0], *PEOPLE[1]})},
            "msdynce_contactnumber": "",
        }
        for row, person in zip(rows(), PEOPLE, strict=False)
    ]
    flags = Flags(project=source(contacts), runs=tmp_path / "owned")
    plan_contacts(flags, PlanRequest(command="plan"), report_nothing)
    return find_run(flags.runs, "latest")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(person="åsa öberg"), [1]),
        (Wanted(person="second@"), [1]),
        (Wanted(person="only parts"), [2]),
        (Wanted(person="whole"), [3]),
        (Wanted(text="öb", owner="B"), [1]),
        (Wanted(owner="A"), [2, 3]),
        (Wanted(owner="A", person="w"), [3]),
    ],
)
def test_names_are_found_whatever_column_has_them(
    owned: RunFolder, wanted: Wanted, found: list[int]
) -> None:
    with open_search(gather_evidence(owned)) as search:
        contacts, total = search.find(wanted, 0, 10)
        assert search.list_owners() == [Choice("A", 2), Choice("B", 1)]
    assert [one.contactid for one in contacts] == [contactid(one) for one in found]
    assert total == len(found)


def test_pages_follow_the_order_of_the_source(run: RunFolder) -> None:
    with open_search(gather_evidence(run)) as search:
        pages = [search.find(Wanted(), first, 4) for first in (0, 4, 8, 12)]
    listed = [one.contactid for page, _ in pages for one in page]
    assert listed == [contactid(one) for one in range(1, 12)]
    assert {total for _, total in pages} == {11}
