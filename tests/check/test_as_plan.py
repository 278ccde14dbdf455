"""What a plan would refuse, ``check`` refuses in the same words; what it would hold, is counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.commands.check import check_project
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.errors import P2cError
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from tests.scenes.small import ACCOUNT, CONTACTS, PROJECT, number, write_small

Fault = Callable[[Path], None]

UNIT = "00000000-0000-0000-0005-000000000001"
OTHER = "00000000-0000-0000-0005-000000000002"


def settings(*changes: tuple[str, str], more: str = "") -> Fault:
    """A project file in which something is replaced or added."""

    def put(folder: Path) -> None:
        text = PROJECT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (folder / "p2c.toml").write_text(text + more, encoding="utf-8")

    return put


def contacts(*changes: tuple[str, str]) -> Fault:
    """Contacts in which a text is replaced everywhere."""

    def put(folder: Path) -> None:
        text = (folder / CONTACTS).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (folder / CONTACTS).write_text(text, encoding="utf-8")

    return put


def column(name: str, value: str) -> Fault:
    """Contacts with one more column that has one value."""

    def put(folder: Path) -> None:
        header, *lines = (folder / CONTACTS).read_text(encoding="utf-8").splitlines()
        rows = [f"{header},{name}", *(f"{line},{value}" for line in lines)]
        (folder / CONTACTS).write_text("\n".join(rows) + "\n", encoding="utf-8")

    return put


def file(name: str, text: str | bytes | None) -> Fault:
    """A file that is written, or removed."""

    def put(folder: Path) -> None:
        if text is None:
            (folder / name).unlink()
        elif isinstance(text, bytes):
            (folder / name).write_bytes(text)
        else:
            (folder / name).write_text(text, encoding="utf-8")

    return put


def filtered(condition: str) -> Fault:
    return settings(('path = "."', f"path = \".\"\nfilter = '''{condition}'''"))


def row(task: str, name: str, *lines: str) -> Fault:
    return settings(more="\n".join([f"[tasks.{task}.fields.{name}]", *lines, ""]))


NO_ENTITY = ('legal_entity = "usmf"\n', "")
NAMED = settings(NO_ENTITY, more='[organizations]\n"Unit 1" = "usmf"\n')
UNITS = file("businessunits.csv", f"businessunitid,name\n{UNIT},Unit 1\n{OTHER},Unit 2\n")
KNOWN = settings(("batch_rows = 2", 'known_customers = "customers.csv"'))
CUSTOMERS = "CustomerAccount,PartyNumber,dataAreaId\n"
TAKEN = CUSTOMERS + "".join(f"{number(one)},{number(one)},usmf\n" for one in range(1, 6))

REFUSED: dict[str, tuple[Fault, ...]] = {
    "business unit misspelt": (
        settings(more='[organizations]\n"Unit one" = "usmf"\n'),
        UNITS,
    ),
    "business unit twice": (
        settings(more=f'[organizations]\n"Unit 1" = "usmf"\n"{UNIT}" = "demf"\n'),
        UNITS,
    ),
    "filter is no SQL": (filtered("lastname ="),),
    "filter of an unknown column": (filtered("lastnam = 'x'"),),
    "filter that reads files": (filtered("lastname IN (SELECT a FROM 'x.csv')"),),
    "filter that fails on a value": (filtered("CAST(lastname AS INTEGER) = 1"),),
    "filter of a column that cannot be read": (
        column("statecode", "offen"),
        filtered("statecode = 0"),
    ),
    "no contacts": (file("contacts.csv", None),),
    "wrong folder": (settings(('path = "."', 'path = "exprot"')),),
    "a needed column is missing": (contacts(("msdynce_contactnumber", "number")),),
    "a column twice": (column("firstname", "x"),),
    "a web page": (file("contacts.csv", "<html><body>Sign in</body></html>\n"),),
    "an empty file": (file("contacts.csv", ""),),
    "two forms of a table": (file("contacts.json", '{"value": []}'),),
    "no UTF-8": (file("contacts.csv", "contactid,lastname\n1,Müller\n".encode("cp1252")),),
    "a damaged Parquet file": (
        file("contacts.csv", None),
        file("contacts.parquet", b"PAR1 and no more"),
    ),
    "no accounts": (file("accounts.csv", None),),
    "a word that may mean blank": (contacts(("Ada", "NULL")),),
    "known customers are missing": (KNOWN,),
    "known customers without keys": (KNOWN, file("customers.csv", "Name\nx\n")),
    "currency that ISO 4217 does not have": (settings(('"EUR"', '"EUX"')),),
    "currency of a mapping that ISO 4217 does not have": (
        row(
            "ContactToCustomer",
            "SalesCurrencyCode",
            'source = "address1_country"',
            'value_map = { DE = "EUX" }',
        ),
    ),
    "currency of four letters": (settings(('"EUR"', '"EURO"')),),
    "country that nobody knows": (settings(('"DE"', '"Germnay"')),),
    "legal entity of seven letters": (settings(('"usmf"', '"usmfxyz"')),),
    "source column misspelt": (row("Contacts", "Notes", 'source = "emailadress1"'),),
    "destination column misspelt": (row("ContactToCustomer", "SiteID", 'default = "1"'),),
    "load without an address": (settings(("[destination]", '[destination]\nload = "odata"')),),
}

STOPPED: dict[str, tuple[tuple[Fault, ...], str]] = {
    "units are ids and names are mapped": (
        (column("owningbusinessunit", UNIT), NAMED),
        "held legal_entity_unmapped",
    ),
    "a unit is not mapped": (
        (column("owningbusinessunit", OTHER), NAMED, UNITS),
        "business unit Unit 2",
    ),
    "no legal entity": ((settings(NO_ENTITY),), "held legal_entity_unmapped"),
    "an entry that no contact has": (
        (settings(more='[organizations]\n"Unit 2" = "usmf"\n'), UNITS),
        "organization_unused",
    ),
    "no currencies": (
        (column("transactioncurrencyid", UNIT),),
        "rejected currency_not_found",
    ),
    "a flag in other words": ((contacts(("Yes", "Ja"), ("No,", "Nein,")),), "flag_not_read"),
    "a header only": ((file("contacts.csv", "contactid,lastname,msdynce_contactnumber,"
        "msdynce_isactivecustomer,parentcustomerid\n"),), "no_contacts"),
    "a filter that leaves nobody": ((filtered("lastname = 'Nobody'"),), "nothing_selected"),
    "accounts of another export": (
        (contacts((ACCOUNT, OTHER)),),
        "held account_not_found",
    ),
    "SCM has all keys": ((KNOWN, file("customers.csv", TAKEN)), "memory_missing"),
    "a country in other words": ((contacts((",DE,", ",Allemania,")),), "rejected country_unknown"),
}  # fmt: skip


def write_faults(folder: Path, faults: tuple[Fault, ...]) -> Flags:
    flags = Flags(project=write_small(folder / "source"), runs=folder / "runs")
    for put in faults:
        put(folder / "source")
    return flags


def refuse(work: Callable[[], object]) -> P2cError:
    with pytest.raises(P2cError) as refused:
        work()
    return refused.value


@pytest.mark.parametrize("fault", REFUSED)
def test_what_a_plan_refuses_a_check_refuses_in_the_same_words(tmp_path: Path, fault: str) -> None:
    flags = write_faults(tmp_path, REFUSED[fault])
    planned = refuse(lambda: plan_contacts(flags, PlanRequest(), report_nothing))
    checked = refuse(lambda: check_project(flags, report_nothing))
    assert (type(checked), checked.exit_code) == (type(planned), planned.exit_code)
    assert str(checked) == str(planned)
    assert planned.exit_code == 2


@pytest.mark.parametrize("fault", STOPPED)
def test_what_a_plan_holds_for_a_reason_of_the_run_a_check_says_with_counts(
    tmp_path: Path, fault: str
) -> None:
    faults, what = STOPPED[fault]
    flags = write_faults(tmp_path, faults)
    planned = plan_contacts(flags, PlanRequest(), report_nothing)
    checked = check_project(flags, report_nothing)
    assert checked.exit_code == 1 >= planned.exit_code
    [said] = [one for one in checked.items if one["what"] == what]
    assert said["status"] == "warning"
    counts = planned.summary.reasons
    decision, _, reason = what.partition(" ")
    if decision in ("held", "rejected"):
        assert str(said["message"]).startswith(f"{counts[f'{decision}/{reason}']} contacts. ")


def test_a_check_leaves_nothing_behind_and_is_clean_where_a_plan_is(tmp_path: Path) -> None:
    flags = write_faults(tmp_path, (contacts(("L" * 26, "Long"), ("Number10", "Ten")),))
    checked = check_project(flags, report_nothing)
    told = {str(one["what"]): str(one["message"]) for one in checked.items}
    assert (
        "a plan makes 6 of them customers and 3 contact persons, skips 1, holds 1"
        in (told["contacts"])
    )
    assert not flags.runs.exists()
    planned = plan_contacts(flags, PlanRequest(), report_nothing)
    assert planned.summary.counts["customer"] == 6


def test_business_units_are_listed_with_their_contacts_and_legal_entities(tmp_path: Path) -> None:
    flags = write_faults(tmp_path, (column("owningbusinessunit", UNIT), NAMED, UNITS))
    told = {one["what"]: one["message"] for one in check_project(flags, report_nothing).items}
    assert told["business unit Unit 1"] == "11 contacts, legal entity usmf"
