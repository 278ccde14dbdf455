from __future__ import annotations

import codecs
import dataclasses
from typing import TYPE_CHECKING
from xml.dom import minidom
from xml.etree import ElementTree as ET

import pytest

from pipeline.load.packages.manifest import build_header, build_manifest
from pipeline.load.packages.spec import PackageSpec
from tests.scenes.specs import CONTACTS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACE = "{http://schemas.microsoft.com/dynamics/2015/01/DataManagement}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def text_of(document: bytes) -> str:
    assert document.startswith(codecs.BOM_UTF16_LE)
    return document[2:].decode("utf-16-le")


def parsed(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own text


def child(element: ET.Element, path: str) -> ET.Element:
    found = element.find("/".join(NAMESPACE + name for name in path.split("/")))
    assert found is not None, path
    return found


def entity(spec: PackageSpec) -> ET.Element:
    return child(
        parsed(build_manifest(spec, "p2c-x")), "PackageEntityList/DataManagementPackageEntityData"
    )


@pytest.mark.parametrize(("name", "spec"), [("contacts", CONTACTS), ("customers", CUSTOMERS)])
def test_the_manifest_reads_as_agreed(
    golden: Callable[[str, str], None], name: str, spec: PackageSpec
) -> None:
    group = f"p2c-{spec.task}-{spec.legal_entity}-{spec.batch}-0123456789"
    golden(f"manifest-{name}.xml", text_of(build_manifest(spec, group)) + "\n")


def test_the_package_header_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("package-header.xml", text_of(build_header("p2c-Contacts-usmf-1-0123456789")) + "\n")


@pytest.mark.parametrize("document", [build_manifest(CUSTOMERS, "p2c-x"), build_header("p2c-x")])
def test_both_files_are_utf_16_without_declaration_and_with_both_namespaces(
    document: bytes,
) -> None:
    root = minidom.parseString(document).documentElement  # noqa: S318 - our own text
    assert root is not None
    assert "<?xml" not in text_of(document)
    assert root.getAttribute("xmlns") == NAMESPACE.strip("{}")
    assert root.getAttribute("xmlns:i") == "http://www.w3.org/2001/XMLSchema-instance"


@pytest.mark.parametrize(
    "document",
    [build_manifest(CONTACTS, "p2c-x"), build_manifest(CUSTOMERS, "p2c-x"), build_header("p2c-x")],
)
def test_children_stand_in_alphabetical_order_and_carry_no_attribute_but_nil(
    document: bytes,
) -> None:
    for element in parsed(document).iter():
        names = [one.tag for one in element]
        assert element.tag.startswith(NAMESPACE)
        assert names == sorted(names)
        assert element.attrib in ({}, {NIL: "true"})


def test_every_column_is_mapped_once_under_one_upper_case_name() -> None:
    maps = list(child(entity(CUSTOMERS), "EntityMapList"))
    names = [name.upper() for name in CUSTOMERS.columns]
    assert [child(one, "EntityField").text for one in maps] == names
    assert [child(one, "XMLField").text for one in maps] == names
    assert {child(one, "UseTextQualifier").text for one in maps} == {"true"}


def test_the_entity_in_code_is_named_only_where_it_is_known() -> None:
    assert child(entity(CUSTOMERS), "TargetEntity").text == "CustCustomerV2Entity"
    assert entity(CONTACTS).find(f"{NAMESPACE}TargetEntity") is None


def test_a_label_with_an_ampersand_comes_back_as_it_was() -> None:
    spec = dataclasses.replace(CONTACTS, entity_label="Contacts & co.'s \u00e9")
    assert child(entity(spec), "EntityName").text == "Contacts & co.'s \u00e9"
    assert child(entity(spec), "InputFilePath").text == "Contacts & co.'s \u00e9.csv"


@pytest.mark.parametrize(
    "changes",
    [
        {"legal_entity": ""}, {"legal_entity": "../usmf"}, {"legal_entity": "us mf"},
        {"entity_label": ""},
        {"entity_label": "a\nb"},
        {"columns": ()},
        {"columns": ("Name", "NAME")}, {"columns": ("First name",)}, {"columns": ('a"b',)},
        {"task": "a-b"},
        {"aot_name": ""},
    ],
    ids=str,
)  # fmt: skip
def test_a_name_that_no_manifest_or_file_can_carry_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"name|columns"):
        dataclasses.replace(CONTACTS, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("task", ["ContactToCustomer", "T" * 59])
def test_a_description_fits_the_field_and_begins_with_what_tells_packages_apart(task: str) -> None:
    spec = dataclasses.replace(CUSTOMERS, task=task, batch=123_456)
    text = child(parsed(build_manifest(spec, "p2c-x")), "Description").text
    assert text is not None
    assert len(text) <= 60
    assert text.startswith(f"p2c: demf, batch 123456, {task[:30]}")


def test_only_named_columns_are_marked_as_quoted() -> None:
    document = build_manifest(CUSTOMERS, "p2c-x", ["PersonLastName"])
    flags = {
        child(one, "EntityField").text: child(one, "UseTextQualifier").text
        for one in parsed(document).iter(f"{NAMESPACE}EntityMap")
    }
    assert [name for name, flag in flags.items() if flag == "true"] == ["PERSONLASTNAME"]
    assert len(flags) == len(CUSTOMERS.columns)


def test_a_label_with_signs_that_no_file_name_has_names_a_file_without_them() -> None:
    spec = dataclasses.replace(CONTACTS, entity_label="Kunden/Debitoren: V2")
    assert child(entity(spec), "EntityName").text == "Kunden/Debitoren: V2"
    assert child(entity(spec), "InputFilePath").text == "Kunden_Debitoren_ V2.csv"
    assert spec.data_file == "Kunden_Debitoren_ V2.csv"
