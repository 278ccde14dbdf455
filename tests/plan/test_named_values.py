"""Findings of lists name their values with counts; what may be personal data is not named."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.findings import export_findings
from pipeline.commands.options import Flags
from pipeline.commands.plan import plan_contacts
from pipeline.commands.report import report_run
from pipeline.commands.result import Result
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.transform.named import choose_shown, is_word, name_units
from tests.scenes.small import PROJECT, contactid, number

UNITS = {f"00000000-0000-0000-0005-{place:012d}": f"Unit {place}" for place in (1, 2, 3)}
ORGANIZATIONS = (
    PROJECT.replace('legal_entity = "usmf"\n', "") + '[organizations]\n"Unit 1" = "usmf"\n'
)


def plan(folder: Path, project: str, **columns: list[str]) -> tuple[Flags, Result]:
    """Plan customers that have these values, one after the other."""
    rows = len(next(iter(columns.values())))
    with (folder / "contacts.csv").open("w", encoding="utf-8", newline="") as file:
        names = ("contactid", "lastname", "msdynce_contactnumber", "msdynce_isactivecustomer")
        given = [*names, "parentcustomerid", *columns]
        writer = csv.DictWriter(file, dict.fromkeys(given))
        writer.writeheader()
        for place in range(rows):
            plain = (contactid(place + 1), "Brown", number(place + 1), "yes")
            own = {name: values[place] for name, values in columns.items()}
            writer.writerow({**dict(zip(names, plain, strict=True)), **own})
    (folder / "businessunits.csv").write_text(
        "\n".join(["businessunitid,name", *(f"{key},{name}" for key, name in UNITS.items())]),
        encoding="utf-8",
    )
    (folder / "p2c.toml").write_text(project, encoding="utf-8")
    flags = Flags(project=folder / "p2c.toml", runs=folder / "runs")
    return flags, plan_contacts(flags, PlanRequest(), report_nothing)


def list_named(flags: Flags, code: str) -> Any:
    items: Any = export_findings(flags, "latest", to=None, codes=[code], values=False).items
    return items


def test_units_are_named_with_counts_wherever_findings_are(tmp_path: Path) -> None:
    ids = list(UNITS)
    units = [ids[0], *[ids[1].upper()] * 3, "Unit 3", " Unit 3", "unit 1", ""]
    flags, made = plan(tmp_path, ORGANIZATIONS, owningbusinessunit=units)
    told = "Unit 2 3, Unit 3 2, blank 1, 1 other value 1"
    assert told in made.lines(200)
    assert "2 entries in [organizations] repair 5 rows." in made.lines(200)
    [group] = list_named(flags, "legal_entity_unmapped")
    assert group["values"] == {"Unit 2": 3, "Unit 3": 2, "": 1}
    assert told in export_findings(flags, "latest", to=None, codes=(), values=False).lines(200)
    report_run(flags, "latest", to=tmp_path / "report.html", values=False, listener=report_nothing)
    assert told in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("column", "values", "code", "told"),
    [
        ("address1_country", ["Germnay"] * 3 + ["Narnia"] * 2, "country_unknown", "[countries]"),
        ("msdynce_isactivecustomer", ["Ja"] * 3 + ["Nein"] * 2, "value_unreadable", "[labels]"),
        ("gendercode", ["Divers"] * 3 + ["Herr"] * 2, "value_not_mapped", "value_map"),
        ("transactioncurrencyid", ["Krone"] * 3 + ["Yen"] * 2, "currency_not_found", ""),
    ],
)
def test_values_of_lists_are_named_most_frequent_first(
    tmp_path: Path, column: str, values: list[str], code: str, told: str
) -> None:
    project = PROJECT
    if column == "gendercode":
        project += '[tasks.ContactToCustomer.fields.PersonGender]\nsource = "gendercode"\n'
        project += 'value_map = { 1 = "Male" }\n'
        project += '[columns.ContactToCustomer.PersonGender]\ntype = "string"\n'
    flags, made = plan(tmp_path, project, **{column: values})
    first, second = dict.fromkeys(values)
    [group] = list_named(flags, code)
    assert list(group["values"].items()) == [(first, 3), (second, 2)]
    assert f"{first} 3, {second} 2" in made.lines(200)
    assert not told or f"2 entries in {told} repair 5 rows." in made.lines(200)


def test_what_few_have_or_what_looks_like_an_address_is_counted_and_not_named(
    tmp_path: Path,
) -> None:
    values = ["Ada Brown", *["ada@example.com"] * 2, *["+49 30 1234567"] * 2, *["Narnia"] * 2]
    flags, made = plan(tmp_path, PROJECT, address1_country=values)
    [group] = list_named(flags, "country_unknown")
    assert group["values"] == {"Narnia": 2}
    text = made.lines(200)
    assert "Narnia 2, 3 other values 5" in text
    for value in dict.fromkeys(values[:-2]):
        assert value not in text


def test_the_values_are_removed_with_the_personal_data(tmp_path: Path) -> None:
    _, made = plan(tmp_path, PROJECT, address1_country=["Narnia"] * 2)
    [kept] = made.summary.without_values().named
    assert (dict(kept.values), kept.rows, kept.distinct) == ({}, 2, 1)


def test_ids_are_words_and_units_are_named_even_if_one_contact_has_them() -> None:
    unit = next(iter(UNITS))
    assert is_word(f"{{{unit.upper()}}}")
    assert not is_word("x" * 41)
    assert name_units({unit.upper(): 1, " Unit 1": 1, "Else": 1}, UNITS | {"Unit 1": "Unit 1"}) == {
        "Unit 1": 2,
        "Else": 1,
    }
    assert choose_shown({"Unit 1": 1, "Else": 1}, {"Unit 1"}) == {"Unit 1": 1}
