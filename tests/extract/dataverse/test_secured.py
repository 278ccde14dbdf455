"""Columns that column security hides: found, and never taken for columns that are blank."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pipeline.extract.dataverse.secured import find_hidden_columns
from pipeline.run.summary import ALARMS
from tests.scenes.fake_sales import Fake, account, contact, extract, sales_of

MAPPED = ("creditlimit", "firstname")


def fake_of(shown: int, *secured: str) -> Fake:
    """Ten contacts, of which so many show a first name."""
    rows = [
        contact(number, firstname="Ada" if number < shown else None, creditlimit=None)
        for number in range(10)
    ]
    return Fake({"contacts": rows, "accounts": [account(1)]}, secured=secured)


def find(fake: Fake, folder: Path, mapped: tuple[str, ...] = MAPPED) -> list[str]:
    landed = extract(fake, folder, mapped=MAPPED).landed
    sales = sales_of(fake)
    with sales.system.client:
        return find_hidden_columns(sales, landed, mapped)


def is_asked(fake: Fake) -> bool:
    return any("IsSecured" in str(one.url) for one in fake.asked)


def test_a_secured_column_without_any_value_is_found(tmp_path: Path) -> None:
    assert find(fake_of(0, "firstname", "jobtitle"), tmp_path) == ["firstname"]
    assert "column_secured" in ALARMS


def test_a_blank_column_that_is_not_secured_is_blank(tmp_path: Path) -> None:
    fake = fake_of(0)
    assert find(fake, tmp_path) == []
    assert is_asked(fake)


def test_a_secured_column_that_shows_a_value_is_read(tmp_path: Path) -> None:
    assert find(fake_of(1, "firstname"), tmp_path) == []


def test_nobody_asks_where_all_columns_have_values(tmp_path: Path) -> None:
    fake = fake_of(1, "firstname")
    assert find(fake, tmp_path, ("firstname",)) == []
    assert not is_asked(fake)


@pytest.mark.parametrize("status", [403, 404])
def test_a_sales_that_does_not_say_is_believed(tmp_path: Path, status: int) -> None:
    fake = fake_of(0, "firstname")
    fake.fault = lambda request, _number: (
        httpx.Response(status) if "IsSecured" in str(request.url) else None
    )
    assert find(fake, tmp_path) == []


def test_a_value_far_down_shows_that_it_may_be_read(tmp_path: Path) -> None:
    fake = fake_of(0, "firstname")
    rows = [contact(number, firstname=None) for number in range(1_200)]
    fake.tables["contacts"] = [*rows, contact(1_201, "ffffffff-ffff-ffff-ffff-ffffffffffff")]
    assert find(fake, tmp_path, ("firstname",)) == []
    assert is_asked(fake)


def test_without_contacts_nothing_is_hidden(tmp_path: Path) -> None:
    landed = extract(fake_of(1), tmp_path).landed
    assert find_hidden_columns(sales_of(fake_of(1)), {"accounts": landed["accounts"]}, MAPPED) == []
