"""Change tracking: a refreshed table equals a fresh one, but for rows that are marked deleted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.errors import AnswerUnreadable, ServerFailed
from pipeline.extract.dataverse.changes import RefreshResult
from pipeline.extract.dataverse.extraction import ExtractionResult, RunNote
from tests.scenes.fake_sales import HOST, Fake, Row, account, contact, extract, page

ACCOUNTS = [account(number) for number in range(1, 7)]
GONE = {"@odata.context": f"{HOST}/$metadata#contacts/$deletedEntity"}


def begun(folder: Path, rows: int = 300) -> Fake:
    """A Sales that was read once, with tokens."""
    fake = Fake({"contacts": [contact(number) for number in range(rows)], "accounts": ACCOUNTS})
    extract(fake, folder, into=folder / "first", tracking="auto")
    fake.asked = []
    return fake


def refresh(
    fake: Fake, folder: Path, since: str = "first", into: str = "second", **options: Any
) -> ExtractionResult:
    return extract(
        fake, folder, into=folder / into, since=folder / since, tracking="auto", **options
    )


def table(folder: Path, into: str = "second") -> pl.DataFrame:
    return pl.read_parquet(folder / into / "contacts.parquet")


def deleted(row: Row) -> Row:
    return {**GONE, "id": row["contactid"], "reason": "deleted"}


def fresh(fake: Fake, folder: Path) -> pl.DataFrame:
    extract(fake, folder / "fresh", tracking="never")
    return pl.read_parquet(folder / "fresh" / "source" / "contacts.parquet")


def without_lines(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("source_line", "source_file")


def test_refreshed_and_freshly_read_tables_are_equal_but_for_rows_marked_deleted(
    tmp_path: Path,
) -> None:
    fake = begun(tmp_path)
    rows = fake.tables["contacts"]
    gone = rows[::15]
    left = [row for row in rows if row not in gone]
    changed = [
        {**row, "firstname": "new", "versionnumber": 9_000 + place}
        for place, row in enumerate(left[::4])
    ]
    added = [contact(number) for number in range(1000, 1030)]
    ids = {row["contactid"] for row in changed}
    fake.tables["contacts"] = [row for row in left if row["contactid"] not in ids] + changed + added
    fake.changed["contacts"] = [*changed, *added, *(deleted(row) for row in gone)]
    extracted = refresh(fake, tmp_path)
    found, expected = table(tmp_path), fresh(fake, tmp_path)
    assert without_lines(found.filter(pl.col("isdelete").is_null())).equals(without_lines(expected))
    assert set(found.filter(pl.col("isdelete") == "true")["contactid"]) == {
        row["contactid"] for row in gone
    }
    assert found["source_line"].to_list() == list(range(1, found.height + 1))
    contacts = extracted.refreshed["contacts"]
    assert (contacts.added, contacts.changed, contacts.deleted) == (30, 70, 20)
    assert extracted.landed["contacts"].rows == found.height == 330
    assert extracted.notes == ()


def test_a_refresh_asks_for_nothing_but_the_changes(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.changed["contacts"] = [contact(5, firstname="new")]
    refresh(fake, tmp_path)
    assert fake.counted() == {"contacts": 1, "accounts": 1}


def test_nothing_changed_gives_the_same_table(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    extracted = refresh(fake, tmp_path)
    assert table(tmp_path).equals(table(tmp_path, "first"))
    assert isinstance(extracted.refreshed["contacts"], RefreshResult)


def test_refreshes_go_on_from_one_another(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.changed["contacts"] = [deleted(contact(1))]
    refresh(fake, tmp_path)
    fake.changed["contacts"] = [contact(2, firstname="third")]
    refresh(fake, tmp_path, since="second", into="third")
    found = {row["contactid"]: row for row in table(tmp_path, "third").iter_rows(named=True)}
    assert found[contact(1)["contactid"]]["isdelete"] == "true"
    assert found[contact(2)["contactid"]]["firstname"] == "third"
    assert "1!01/01/2026xx" in json.loads((tmp_path / "third" / "changes.json").read_text())[
        "tables"
    ]["contacts"]["link"].replace("%21", "!").replace("%2F", "/")


@pytest.mark.parametrize("is_there", [True, False])
def test_what_changed_and_was_deleted_is_looked_at_once_more(
    tmp_path: Path, *, is_there: bool
) -> None:
    fake = begun(tmp_path)
    row = contact(7, firstname="back again")
    fake.changed["contacts"] = [contact(7, firstname="old"), deleted(row)]
    others = [one for one in fake.tables["contacts"] if one["contactid"] != row["contactid"]]
    fake.tables["contacts"] = [*others, row] if is_there else others
    refresh(fake, tmp_path)
    [found] = table(tmp_path).filter(pl.col("contactid") == row["contactid"]).iter_rows(named=True)
    assert (found["firstname"], found["isdelete"]) == (
        ("back again", None) if is_there else ("Zoë 7", "true")
    )


def test_the_last_of_several_changes_of_one_row_counts(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.changed["contacts"] = [
        contact(7, firstname="one"),
        *(contact(number) for number in range(60)),
        contact(7, firstname="two"),
    ]
    refresh(fake, tmp_path)
    assert table(tmp_path).filter(pl.col("contactid") == contact(7)["contactid"])[
        "firstname"
    ].to_list() == ["two"]


def test_a_row_that_was_never_seen_and_is_deleted_is_nothing(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.changed["contacts"] = [deleted(contact(5000))]
    refresh(fake, tmp_path)
    assert without_lines(table(tmp_path)).equals(without_lines(table(tmp_path, "first")))


def test_a_deleted_row_that_comes_back_is_no_longer_marked(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.changed["contacts"] = [deleted(contact(7))]
    refresh(fake, tmp_path)
    fake.changed["contacts"] = [contact(7)]
    refresh(fake, tmp_path, since="second", into="third")
    assert table(tmp_path, "third")["isdelete"].null_count() == 300


def reason(extracted: ExtractionResult, name: str = "contacts") -> str:
    [note] = [
        one
        for one in extracted.notes
        if one.code == "changes_read_in_full" and one.detail.startswith(f"{name}:")
    ]
    return note.detail


def test_an_expired_token_falls_back_to_a_full_read_and_says_so(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.expired = True
    fake.tables["contacts"] = [contact(number) for number in range(10)]
    extracted = refresh(fake, tmp_path)
    assert reason(extracted) == "contacts: the change token has expired"
    assert table(tmp_path).height == 10
    fake.expired = False
    fake.changed["contacts"] = [contact(3, firstname="new")]
    assert refresh(fake, tmp_path, since="second", into="third").notes == ()


def test_why_a_token_was_refused_is_what_sales_said(tmp_path: Path) -> None:
    fake = begun(tmp_path)

    def refuse(request: httpx.Request, _number: int) -> httpx.Response | None:
        if "deltatoken" not in str(request.url) or "/contacts" not in request.url.path:
            return None
        error = {"code": "0x80060888", "message": "The token is of another table."}
        return httpx.Response(404, json={"error": error})

    fake.fault = refuse
    assert reason(refresh(fake, tmp_path)) == (
        "contacts: the change token was refused: The token is of another table (HTTP 404)"
    )


def test_other_columns_or_another_sales_are_read_in_full(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    extracted = refresh(fake, tmp_path, mapped=("firstname",))
    assert reason(extracted) == "contacts: other columns are wanted than in the earlier run"
    kept = json.loads((tmp_path / "first" / "changes.json").read_text())
    (tmp_path / "first" / "changes.json").write_text(
        json.dumps({**kept, "home": "https://other.example"})
    )
    assert (
        reason(refresh(fake, tmp_path)) == "contacts: there is no change token from an earlier run"
    )


def test_a_table_that_is_gone_is_read_in_full(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    (tmp_path / "first" / "contacts.parquet").unlink()
    assert reason(refresh(fake, tmp_path)) == "contacts: the table of the earlier run is gone"


def test_a_table_without_change_tracking_is_read_in_full_every_time_and_told_so(
    tmp_path: Path,
) -> None:
    fake = Fake(
        {"contacts": [contact(number) for number in range(100)], "accounts": ACCOUNTS},
        tracked=("account",),
    )
    extract(fake, tmp_path, into=tmp_path / "first", tracking="auto")
    extracted = refresh(fake, tmp_path)
    assert RunNote(code="not_tracked", detail="contacts") in extracted.notes
    assert "accounts" in extracted.refreshed
    assert table(tmp_path).height == 100


def test_a_large_table_has_a_token_only_when_it_is_asked_for(tmp_path: Path) -> None:
    fake = Fake(
        {"contacts": [contact(number) for number in range(100)], "accounts": ACCOUNTS},
        totals={"contact": 100_001},
    )
    extract(fake, tmp_path, into=tmp_path / "first", tracking="auto")
    assert (
        reason(refresh(fake, tmp_path)) == "contacts: there is no change token from an earlier run"
    )
    extracted = refresh(fake, tmp_path, since="second", into="third")
    assert not [one for one in extracted.notes if one.code == "changes_read_in_full"]


def test_a_stopped_refresh_starts_again(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.changed["contacts"] = [contact(number, firstname="new") for number in range(120)]
    fake.fault = lambda request, _: (
        httpx.Response(503, json={}) if "skiptoken=100" in request.url.query.decode() else None
    )
    with pytest.raises(ServerFailed):
        refresh(fake, tmp_path)
    assert not (tmp_path / "second" / "changes.json").exists()
    fake.fault = None
    refresh(fake, tmp_path)
    assert table(tmp_path).filter(pl.col("firstname") == "new").height == 120


def test_changes_without_an_end_stop_the_run(tmp_path: Path) -> None:
    fake = begun(tmp_path)
    fake.fault = lambda request, _: (
        page({"value": []}) if "deltatoken" in request.url.query.decode() else None
    )
    with pytest.raises(AnswerUnreadable, match="without saying where the next ones begin"):
        refresh(fake, tmp_path)


def test_a_change_that_cannot_be_read_is_told_by_a_full_read(tmp_path: Path) -> None:
    fake = begun(tmp_path, 20)
    row = page({"value": [contact(3)], "@odata.deltaLink": f"{HOST}/x"}).content.replace(
        "Zoë".encode(), b"\\ud83d"
    )

    def fault(request: httpx.Request, _: int) -> httpx.Response | None:
        is_delta = (
            request.url.path.endswith("/contacts") and "deltatoken" in request.url.query.decode()
        )
        return httpx.Response(200, content=row) if is_delta else None

    fake.fault = fault
    assert "contacts: a changed row cannot be read" in [
        one.detail for one in refresh(fake, tmp_path).notes
    ]


def test_a_token_of_an_interrupted_run_is_never_used(tmp_path: Path) -> None:
    fake = Fake({"contacts": [contact(number) for number in range(200)], "accounts": ACCOUNTS})
    fake.fault = lambda request, _: (
        httpx.Response(503, json={}) if "skiptoken=150" in request.url.query.decode() else None
    )
    with pytest.raises(ServerFailed):
        extract(fake, tmp_path, into=tmp_path / "first", tracking="auto")
    assert not (tmp_path / "first" / "changes.json").exists()
    fake.fault, fake.asked = None, []
    extract(fake, tmp_path, into=tmp_path / "first", tracking="auto")
    assert len([one for one in fake.asked if one.url.path.endswith("/contacts")]) == 1, (
        "it went on at the last page"
    )
    assert pl.read_parquet(tmp_path / "first" / "contacts.parquet").height == 200
    shutil.rmtree(tmp_path / "first")


def test_a_deletion_whose_id_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    """Else a contact that is gone would be moved."""
    fake = begun(tmp_path, 20)
    fake.fault = lambda request, _: (
        page({"value": [{**GONE, "id": "?", "reason": "deleted"}], "@odata.deltaLink": f"{HOST}/x"})
        if "deltatoken" in request.url.query.decode()
        else None
    )
    with pytest.raises(AnswerUnreadable, match="gives a deleted row without an id in contacts"):
        refresh(fake, tmp_path)
