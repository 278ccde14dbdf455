"""``[columns]``: what a project declares, and how it changes what the catalogue knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import ConfigurationError
from pipeline.mapping.columns import ColumnDeclaration, make_column, make_entities
from pipeline.mapping.compile import CompiledTemplate
from pipeline.mapping.paths import name_text_column
from pipeline.project.resolve import Project, load_project, make_bare_project, restore_project
from schemas.catalogue import Column, ColumnKind
from schemas.scm import CUSTOMERS_V2
from tests.scenes.places import ROOT

TASK = "ContactToCustomer"


def make_project(columns: dict[str, Any], fields: dict[str, Any] | None = None) -> Project:
    settings: dict[str, Any] = {"columns": {TASK: columns}}
    if fields:
        settings["tasks"] = {TASK: {"fields": fields}}
    return make_bare_project(settings, "test")


def column(project: Project, name: str) -> Column:
    found = project.settings.entities[TASK].column(name)
    assert found is not None
    return found


def map_values(mapping: CompiledTemplate, source: str, values: list[str | None]) -> pl.DataFrame:
    """The mapped rows of contacts that have these values in one column."""
    texts = {
        name_text_column(name): values if name == source else [None] * len(values)
        for name in mapping.sources
    }
    return mapping.apply(pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))).frame


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("string", ColumnKind.TEXT),
        ("Edm.String", ColumnKind.TEXT),
        ("Int", ColumnKind.INTEGER),
        ("Edm.Int32", ColumnKind.INTEGER),
        ("Edm.Int64", ColumnKind.LONG),
        ("Real", ColumnKind.DECIMAL),
        ("edm.double", ColumnKind.DECIMAL),
        ("UtcDateTime", ColumnKind.TIMESTAMP),
        ("Edm.DateTimeOffset", ColumnKind.TIMESTAMP),
        ("bool", ColumnKind.BOOLEAN),
        ("Edm.Guid", ColumnKind.GUID),
        ("NoYes", ColumnKind.ENUM),
    ],
)
def test_a_type_has_the_words_of_both_sides(word: str, kind: ColumnKind) -> None:
    assert column(make_project({"Tier": {"type": word}}), "Tier").kind is kind


def test_a_flag_brings_its_members() -> None:
    assert column(make_project({"Tier": {"type": "noyes"}}), "Tier").members == ("No", "Yes")


def test_a_declared_column_is_a_text_of_any_length_unless_it_says_more() -> None:
    assert column(make_project({"Tier": {}}), "Tier") == Column(name="Tier")
    longer = column(make_project({"PersonFirstName": {"length": 50}}), "PersonFirstName")
    assert (longer.length, longer.kind) == (50, ColumnKind.TEXT)
    needed = column(
        make_project({"SalesTaxGroup": {"mandatory": True}}, {"SalesTaxGroup": {"default": "DOM"}}),
        "SalesTaxGroup",
    )
    assert (needed.mandatory, needed.length) == (True, 10)


def test_what_the_catalogue_needs_stays_mandatory_and_keys_stay_keys() -> None:
    known = CUSTOMERS_V2.column("CustomerAccount")
    made = make_column("CustomerAccount", ColumnDeclaration(length=10), known)
    assert (made.key, made.mandatory, made.length) == (True, True, 10)


def test_columns_of_the_catalogue_keep_their_places_and_new_ones_follow() -> None:
    declared = {"Tier": ColumnDeclaration(), "NameAlias": ColumnDeclaration(length=30)}
    names = [one.name for one in make_entities({TASK: declared})[TASK].columns]
    assert names == [*(one.name for one in CUSTOMERS_V2.columns), "Tier"]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"Tier": {"type": "colour"}}, "Tier.type: must be 'string', 'enum', 'decimal'"),
        ({"Tier": {"type": "enum"}}, "Tier: a column of the type enum needs members"),
        ({"Tier": {"type": "int", "length": 5}}, "Tier: only a column of the type string has"),
        ({"Tier": {"type": "int", "members": ["a"]}}, "Tier: only a column of the type enum or"),
        ({"Tier": {"length": 0}}, "Tier.length: must be at least 1."),
        ({"Tier": {"lenght": 5}}, "Tier.lenght: unknown key 'lenght'. Did you mean 'length'?"),
        ({"My Tier": {}}, "My Tier: is not the name of a column"),
        ({"creditlimit": {}}, "creditlimit: differs from 'CreditLimit' in upper and lower case"),
        ({"Tier": {}, "TIER": {}}, "TIER: differs from 'Tier' in upper and lower case only"),
        ({"DATAAREAID": {}}, "DATAAREAID: p2c fills this column itself"),
        ({"Tier": {"mandatory": True}}, "Customers V2 needs this column; map it."),
    ],
)
def test_a_mistake_in_a_declaration_is_a_sentence(columns: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_project(columns)
    assert sentence in str(refused.value)


def test_an_unknown_task_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match=r"'Contcts'\. Did you mean 'Contacts'"):
        make_bare_project({"columns": {"Contcts": {"Tier": {}}}}, "test")


@pytest.mark.parametrize(
    "name", ["TaxExemptNumber", "DeliveryAddressLocationRoles", "InvoiceAddressLocationRoles"]
)
def test_a_column_that_nobody_declared_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"declare it in \[columns\.ContactToCustomer\]"):
        make_project({}, {name: {"default": "x"}})
    assert make_project({name: {}}, {name: {"default": "x"}}).mappings()[TASK].columns[-1] == name


def test_the_legal_entity_cannot_be_mapped() -> None:
    with pytest.raises(ConfigurationError, match="p2c fills this column itself"):
        make_project({}, {"dataAreaId": {"default": "demf"}})


@pytest.mark.parametrize(
    ("declared", "row", "sentence"),
    [
        ({"type": "string", "length": 3}, {"default": "long"}, "is longer than 3 characters"),
        ({"type": "int"}, {"default": "2147483648"}, "is not of the type integer"),
        ({"type": "long"}, {"default": "1.5"}, "is not of the type long"),
        ({"type": "timestamp"}, {"default": "05/06/2024"}, "is not of the type timestamp"),
        ({"type": "guid"}, {"default": "none"}, "is not of the type guid"),
        ({"type": "boolean"}, {"default": "Yes"}, "is not one of false, true"),
        ({"type": "NoYes"}, {"source": "city", "value_map": {"A": "Ja"}}, "is not one of No, Yes"),
    ],
)
def test_fixed_values_fit_the_declared_type(
    declared: dict[str, Any], row: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_project({"Tier": declared}, {"Tier": row})
    assert sentence in str(refused.value)


VALUES = [
    ("integer", "17", 17),
    ("integer", "2147483648", None),
    ("long", "2147483648", 2147483648),
    ("long", "9223372036854775808", None),
    ("boolean", "TRUE", "true"),
    ("boolean", "0", "false"),
    ("boolean", "maybe", None),
    ("guid", "{00000000-0000-0000-0000-0000000000AB}", "00000000-0000-0000-0000-0000000000ab"),
    ("guid", "AB", None),
    ("NoYes", "true", "Yes"),
    ("NoYes", "0", "No"),
    ("NoYes", "perhaps", "perhaps"),
]


@pytest.mark.parametrize(("kind", "given", "expected"), VALUES)
def test_values_get_the_declared_type(kind: str, given: str, expected: object) -> None:
    project = make_project({"Tier": {"type": kind}}, {"Tier": {"source": "nickname"}})
    frame = map_values(project.mappings()[TASK], "nickname", [given])
    assert frame["Tier"].to_list() == [expected]


def test_a_flag_of_the_catalogue_still_needs_its_value_map() -> None:
    """There a yes of Sales may mean a no: Do not allow Emails."""
    project = make_project({}, {"IsOneTimeCustomer": {"source": "donotemail"}})
    frame = map_values(project.mappings()[TASK], "donotemail", ["true"])
    assert frame["IsOneTimeCustomer"].to_list() == ["true"]


def test_times_are_read_row_by_row_and_never_guessed() -> None:
    """What stands in the first row says nothing of the others."""
    project = make_project({"Since": {"type": "date"}}, {"Since": {"source": "nickname"}})
    given = ["2020-01-31T10:00:00Z", "2020-01-31", "31.01.2020", "01/02/2020", "soon"]
    for values in (given, given[::-1]):
        frame = map_values(project.mappings()[TASK], "nickname", list(values))
        known = dict(zip(values, frame["Since"].dt.strftime("%F %H:%M"), strict=True))
        assert known == {
            "2020-01-31T10:00:00Z": "2020-01-31 10:00",
            "2020-01-31": "2020-01-31 00:00",
            "31.01.2020": "2020-01-31 00:00",
            "01/02/2020": None,
            "soon": None,
        }


def test_declarations_come_from_files_and_flags_and_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "p2c.toml"
    path.write_text('[columns.ContactToCustomer]\nTier = { type = "string", length = 20 }\n')
    project = load_project(path, assignments=["columns.ContactToCustomer.Tier.length=30"])
    entry = project.effective()["columns.ContactToCustomer.Tier"]
    assert entry.as_json() == {"value": {"type": "string", "length": 30}, "origin": "--set"}
    again = restore_project(project.effective(), path)
    assert column(again, "Tier").length == 30


def test_the_example_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "templates.md").read_text(encoding="utf-8")
    (example,) = [one for one in re.findall(r"(?s)```toml\n(.*?)```", page) if "[columns" in one]
    path = tmp_path / "p2c.toml"
    path.write_text(example, encoding="utf-8")
    targets = load_project(path).mappings()[TASK].targets
    kinds = {one.name: one.column.kind for one in targets if "Nordwind" in one.name}
    assert kinds == {"NordwindTier": ColumnKind.ENUM, "NordwindSince": ColumnKind.TIMESTAMP}


def test_many_members_are_not_all_named() -> None:
    members = [f"Zone{place}" for place in range(140)]
    with pytest.raises(ConfigurationError, match=r"Zone12 and 127 more\. Did you mean 'Zone139'"):
        make_project(
            {"Zone": {"type": "enum", "members": members}}, {"Zone": {"default": "Zone 139"}}
        )


def test_without_asking_scm_its_columns_must_be_declared() -> None:
    live = {"url": "https://scm.test", "auth": {"kind": "azure_cli"}}
    fields = {TASK: {"fields": {"Tier": {"default": "x"}}}}
    project = make_bare_project({"destination": live, "tasks": fields}, "test")
    with pytest.raises(ConfigurationError, match=r"columns\.ContactToCustomer\.Tier: declare this"):
        project.mappings()
