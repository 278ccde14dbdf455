"""What updates change is counted and written down, against what p2c sent last."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.commands.confirm import confirm_import
from pipeline.commands.explain import explain_contact
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.purge import list_purgeable, purge_runs
from pipeline.commands.result import Result
from pipeline.commands.verify import verify_run
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.report.facts import collect_page_facts
from pipeline.report.page import render_report
from pipeline.run.folder import RunFolder
from schemas.run import CHANGES
from tests.report.test_page import Reader
from tests.scenes.small import contactid, number, rows, write_small

MAIL = "PrimaryContactEmail"


@pytest.fixture
def loaded(common: Flags, run: RunFolder) -> str:
    """The small source is in SCM: five customers, three contact persons; the run that did it."""
    confirm_import(common, str(run.run), errors=(), packages=())
    return str(run.run)


def other_mails() -> list[dict[str, str]]:
    """The first customer has another mail, the second none; the sixth, a person, another."""
    contacts = rows()
    contacts[0]["emailaddress1"] = "new@example.com"
    contacts[1]["emailaddress1"] = ""
    contacts[5]["emailaddress1"] = "newer@example.com"
    return contacts


def plan(
    home: Path, common: Flags, contacts: list[dict[str, str]], against: str | None = None
) -> Result:
    write_small(home / "source", contacts=contacts)
    return plan_contacts(common, PlanRequest(), report_nothing, against)


def folder_of(result: Result) -> RunFolder:
    return RunFolder(Path(str(result.folder)))


def test_each_field_that_an_update_changes_is_a_row_with_both_values(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    changes = pl.read_parquet(folder_of(plan(home, common, other_mails())).changes)
    assert changes.schema == CHANGES
    person = f"usmf/{number(6)}/ACC-01000-ABCDEF"
    customers = "ContactToCustomer"
    assert changes.rows() == [
        (contactid(6), "Contacts", person, "PrimaryEmailAddress", "contact6@example.com",
         "newer@example.com"),
        (contactid(1), customers, f"usmf/{number(1)}", MAIL, "contact1@example.com",
         "new@example.com"),
        (contactid(2), customers, f"usmf/{number(2)}", MAIL, "contact2@example.com", None),
    ]  # fmt: skip


def test_a_plan_counts_changes_by_field_and_names_keys_but_no_values(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    result = plan(home, common, other_mails())
    found = {one.task: one for one in result.summary.changes}["ContactToCustomer"]
    assert (found.against, found.updates, found.compared, found.changed) == ("last load", 2, 2, 2)
    (mail,) = found.fields
    assert (mail.column, mail.rows, mail.cleared) == (MAIL, 2, 1)
    assert mail.examples == (f"usmf/{number(1)}", f"usmf/{number(2)}")
    text = result.lines(100)
    assert (
        "ContactToCustomer: 2 of 2 updates change something, compared with what p2c sent last."
        in text
    )
    assert f"2 {MAIL}, 1 of them cleared, for example usmf/{number(1)}" in text
    assert "@example.com" not in text


def test_values_that_an_update_would_clear_are_a_finding_with_their_number(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    run = folder_of(plan(home, common, other_mails()))
    found = pl.read_parquet(run.findings).filter(pl.col("code") == "would_clear")
    assert found.select("column", "message").rows() == [
        (
            f"ContactToCustomer.{MAIL}",
            (
                f"1 update would clear ContactToCustomer.{MAIL}: it has a value now, and the "
                "source has none."
            ),
        )
    ]


def test_without_an_earlier_load_and_without_scm_nothing_is_compared(
    home: Path, common: Flags
) -> None:
    result = plan(home, common, other_mails())
    assert not folder_of(result).changes.exists()
    assert result.summary.changes == ()
    assert "updates change something" not in result.lines(100)


def test_updates_of_rows_that_were_purged_are_counted_as_not_known(
    home: Path, common: Flags, loaded: str
) -> None:
    purge_runs(list_purgeable(common, [loaded], "0"), agreed=True)
    result = plan(home, common, other_mails())
    found = {one.task: one for one in result.summary.changes}["ContactToCustomer"]
    assert (found.updates, found.compared, found.changed) == (2, 0, 0)
    assert "of 2 more updates the values before are not known" in " ".join(
        result.lines(200).split()
    )
    assert pl.read_parquet(folder_of(result).changes).is_empty()


def test_a_purge_takes_the_values_of_changes_away(home: Path, common: Flags, loaded: str) -> None:
    del loaded
    run = folder_of(plan(home, common, other_mails()))
    purge_runs(list_purgeable(common, [str(run.run)], "0"), agreed=True)
    assert not run.changes.exists()


def test_a_page_shows_the_columns_that_updates_change_without_values(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    run = folder_of(plan(home, common, other_mails()))
    page = render_report(collect_page_facts(run))
    assert '<h3 id="changes">What updates change</h3>' in page
    text = Reader(page).text
    assert f"ContactToCustomer.{MAIL} 2 1" in text
    assert "new@example.com" not in page
    shown = Reader(render_report(collect_page_facts(run, values=True))).text
    assert f"ContactToCustomer.{MAIL} contact1@example.com new@example.com" in shown
    assert f"ContactToCustomer.{MAIL} contact2@example.com blank" in shown


def test_a_contact_s_story_tells_what_its_update_changes(
    home: Path, common: Flags, loaded: str
) -> None:
    del loaded
    run = folder_of(plan(home, common, other_mails()))
    told = [str(explain_contact(common, number(place), str(run.run)).text) for place in (1, 2, 3)]
    assert f"{MAIL}: 'contact1@example.com' → 'new@example.com'" in told[0]
    assert f"{MAIL}: 'contact2@example.com' → blank" in told[1]
    assert "value before → value after" not in told[2]


def test_plans_side_by_side_say_in_which_columns_rows_differ(
    home: Path, common: Flags, run: RunFolder
) -> None:
    result = plan(home, common, other_mails(), against=str(run.run))
    fields = {
        one["column"]: (one["contacts"], one["example"])
        for one in result.items
        if one["change"] == "field"
    }
    assert fields == {
        "Contacts.PrimaryEmailAddress": (1, contactid(6)),
        f"ContactToCustomer.{MAIL}": (2, contactid(1)),
    }
    text = result.lines(100)
    assert f"2 has another value: ContactToCustomer.{MAIL}, for example {contactid(1)}" in text


def test_verify_holds_changes_against_the_journal(home: Path, common: Flags, loaded: str) -> None:
    del loaded
    run = folder_of(plan(home, common, other_mails()))
    assert verify_run(common, str(run.run)).exit_code == 0
    pl.read_parquet(run.changes).head(1).write_parquet(run.changes)
    assert verify_run(common, str(run.run)).exit_code == 4
