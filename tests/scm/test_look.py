"""SCM is read before anything is written: what is missing is reported before it costs a load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.errors import AnswerUnreadable, ConfigurationError, Stopped
from pipeline.mapping.compile import CompiledTemplate
from pipeline.mapping.problem import PROBLEMS
from pipeline.mapping.references import REFERENCES, References, join_key
from pipeline.plan import known
from pipeline.project.resolve import load_project, make_bare_project
from pipeline.project.settings import refuse_same_system
from pipeline.sandbox.scm.switches import Switches
from pipeline.scm.contract import check_contract
from pipeline.scm.look import ScmNeeds, ScmSnapshot, list_items, look_at_scm
from pipeline.scm.metadata import Model, read_model
from schemas.scm import ENTITIES
from tests.scenes.loading import RIVAL, Scene, number
from tests.scenes.loads import MakeScene

NOTHING: dict[str, Any] = {}


def compile_mappings(tasks: dict[str, Any] = NOTHING, **destination: str) -> list[CompiledTemplate]:
    settings: dict[str, Any] = {
        "destination": {"legal_entity": "usmf", "currency": "EUR", "country": "DE", **destination}
    }
    if tasks:
        settings["tasks"] = {"ContactToCustomer": {"fields": tasks}}
    project = make_bare_project(settings, "test")
    return list(project.mappings().values())


def build_needs(
    tasks: dict[str, Any] = NOTHING,
    *,
    entities: tuple[str, ...] = ("usmf",),
    label: str | None = None,
    packages: bool = True,
) -> ScmNeeds:
    return ScmNeeds(
        mappings=compile_mappings(tasks),
        legal_entities=entities,
        labels={"CDS Contacts": label},
        packages=packages,
    )


def look_at(scene: Scene, what: ScmNeeds, folder: Path) -> ScmSnapshot:
    return look_at_scm(scene.scm, what, folder, lambda _what, _rows: None)


def list_notes(seen: ScmSnapshot) -> dict[str, str]:
    return {what: sentence for what, status, sentence in list_items(seen) if status != "ok"}


def test_what_is_there_is_named_with_its_legal_entities(scenes: MakeScene, tmp_path: Path) -> None:
    seen = look_at(scenes(there=[RIVAL]), build_needs(entities=("usmf", "DEMF")), tmp_path)
    assert list_items(seen)[0] == (
        "SCM",
        "ok",
        (
            "SCM (scm.test), legal entities: usmf (Contoso Entertainment System USA), DEMF "
            "(Contoso Entertainment System Germany)"
        ),
    )
    assert list_notes(seen) == {}


@pytest.mark.parametrize("page_size", [1, 10_000])
def test_customers_come_as_an_export_would_give_them(
    scenes: MakeScene, tmp_path: Path, page_size: int
) -> None:
    german = {"DATAAREAID": "demf", "CUSTOMERACCOUNT": "D-1", "PARTYNUMBER": "D-1"}
    scene = scenes(there=[RIVAL, RIVAL | german], switches=Switches(page_size=page_size))
    seen = look_at(
        scene,
        ScmNeeds(
            mappings=compile_mappings(),
            legal_entities=["usmf"],
            labels={},
            packages=False,
        ),
        tmp_path,
    )
    (tmp_path / "export.csv").write_text("CustomerAccount,PartyNumber,dataAreaId\nA,B,usmf\n")
    (tmp_path / "p2c.toml").write_text('[destination]\nknown_customers = "export.csv"\n')
    kept = known.keep_customer_exports(load_project(tmp_path / "p2c.toml"), tmp_path / "kept")
    assert kept is not None
    export = pl.read_parquet(kept)
    found = pl.read_parquet(seen.customers)
    assert found.columns == export.columns
    assert found.dtypes == export.dtypes
    assert seen.customer_count == 2
    assert found.filter(pl.col("CustomerAccount").is_not_null()).rows() == [
        ("ACC-01000-ABCDEF", "ACC-01000-ABCDEF", "usmf"),
        ("RIVAL", number(4), "usmf"),
    ]
    assert set(found["PartyNumber"]) == {"ACC-01000-ABCDEF", number(4), "D-1"}, (
        "party numbers are global"
    )


def test_contact_persons_that_are_there_are_read(scenes: MakeScene, tmp_path: Path) -> None:
    scene = scenes()
    scene.load("odata")
    seen = look_at(scene, build_needs(), tmp_path)
    assert seen.person_count == 3
    persons = pl.read_parquet(seen.persons)
    assert set(persons.iter_rows()) == {
        ("usmf", number(place), "ACC-01000-ABCDEF") for place in (6, 7, 8)
    }


def test_fixed_values_that_a_legal_entity_lacks_are_named(
    scenes: MakeScene, tmp_path: Path
) -> None:
    tasks = {
        "CustomerGroupId": {"default": "77"},
        "SiteId": {
            "source": "address1_country",
            "value_map": {"Germany": "2", "Denmark": "Nowhere"},
        },
    }
    seen = look_at(scenes(), build_needs(tasks, entities=("usmf", "demf")), tmp_path)
    assert list_notes(seen) == {
        f"tasks.ContactToCustomer.fields.{column}": f"{sentence}; rows that need it will be held"
        for column, sentence in {
            "CustomerGroupId": "legal entity demf has no customer group '77'",
            "SiteId": "legal entity demf has no site 'Nowhere'",
        }.items()
    }
    assert len(seen.missing) == 4


def test_a_legal_entity_that_is_not_there_is_refused_with_the_nearest_one(
    scenes: MakeScene, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"no legal entity 'usmx'\. Did you mean 'usmf'\?"):
        look_at(scenes(), build_needs(entities=("usmf", "usmx")), tmp_path)


def test_another_name_of_the_entity_is_refused_and_named(scenes: MakeScene, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"are called 'CDS Contacts' here: set destination\.contacts_label to that name",
    ):
        look_at(scenes(), build_needs(label="Dataverse Contacts"), tmp_path)
    look_at(scenes(), build_needs(label="Dataverse Contacts", packages=False), tmp_path)


@pytest.mark.parametrize(
    ("language", "customers", "contacts"),
    [
        ("en-us", "Customers V2", "CDS Contacts"),
        ("de", "Debitoren V2", "CDS-Kontakte"),
        ("pt-br", "Clientes V2", "Contatos do CDS"),
    ],
)
def test_names_in_data_management_follow_its_language(
    scenes: MakeScene, tmp_path: Path, language: Any, customers: str, contacts: str
) -> None:
    scene = scenes(switches=Switches(language=language))
    seen = look_at(scene, build_needs(), tmp_path)
    assert seen.labels == {"CDS Contacts": contacts, "Customers V2": customers}
    notes = {what for what in list_notes(seen) if what.startswith("entity")}
    assert bool(notes) == (language != "en-us")
    look_at(scene, build_needs(label=contacts), tmp_path)
    with pytest.raises(ConfigurationError, match=rf"are called '{contacts}' here"):
        look_at(scene, build_needs(label="Dataverse Contacts"), tmp_path)


def test_without_its_list_the_setting_counts_then_the_english_name(
    scenes: MakeScene, tmp_path: Path
) -> None:
    scene = scenes(switches=Switches(language="de"))
    scene.wire.after = hide_sets("DataManagementEntities")
    assert look_at(scene, build_needs(), tmp_path).labels["CDS Contacts"] == "CDS Contacts"
    given = look_at(scene, build_needs(label="CDS-Kontakte"), tmp_path)
    assert given.labels["CDS Contacts"] == "CDS-Kontakte"


def test_a_name_that_scm_does_not_say_is_a_note(scenes: MakeScene, tmp_path: Path) -> None:
    scene = scenes()
    scene.wire.after = hide_sets("DataManagementEntities")
    scene.wire.before = lambda request: (
        httpx.Response(404) if request.url.path.startswith("/metadata") else None
    )
    assert list_notes(look_at(scene, build_needs(), tmp_path)).keys() == {
        "entity CDS Contacts",
        "entity Customers V2",
    }


def hide_sets(*names: str) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Metadata in which these sets have another name."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("$metadata"):
            return response
        content = response.content
        for name in names:
            content = content.replace(
                f'EntitySet Name="{name}"'.encode(), f'EntitySet Name="{name}X"'.encode()
            )
        return httpx.Response(200, content=content)

    return after


def test_reference_data_that_scm_does_not_publish_are_not_checked_and_said(
    scenes: MakeScene, tmp_path: Path
) -> None:
    scene = scenes()
    scene.wire.after = hide_sets("AddressStates", "LegalEntities", "CDSParties")
    seen = look_at(scene, build_needs(), tmp_path)
    assert list_notes(seen) == {
        "AddressState": (
            "SCM does not publish AddressStates: values are not checked before the load"
        ),
        "PrimaryAddressStateId": (
            "SCM does not publish AddressStates: values are not checked before the load"
        ),
    }
    assert seen.names == {"usmf": ""}
    assert seen.references.has("LanguageId", "anything")


def test_a_system_that_is_not_scm_is_refused(scenes: MakeScene, tmp_path: Path) -> None:
    scene = scenes()
    scene.wire.after = hide_sets("CustomersV2", "CDSContactPersons")
    with pytest.raises(
        ConfigurationError,
        match=r"publishes no entity set CDSContactPersons .*Did you mean 'CDSContactPersonsX'",
    ):
        look_at(scene, build_needs(), tmp_path)


@pytest.mark.parametrize(
    "content", [b"<h1>Sign in</h1", b"<edmx:Edmx", b'<!DOCTYPE x [<!ENTITY a "b">]><x/>', b""]
)
def test_metadata_that_cannot_be_read_stop_the_command(
    scenes: MakeScene, tmp_path: Path, content: bytes
) -> None:
    scene = scenes()
    scene.wire.before = lambda request: (
        httpx.Response(200, content=content) if request.url.path.endswith("$metadata") else None
    )
    with pytest.raises(AnswerUnreadable, match=r"\$metadata"):
        look_at(scene, build_needs(), tmp_path)


def alter_metadata(old: bytes, new: bytes) -> Callable[[httpx.Request, httpx.Response], Any]:
    """Other words in SCM's metadata."""

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("$metadata"):
            return response
        assert old in response.content
        return httpx.Response(200, content=response.content.replace(old, new))

    return after


ACCOUNT_KEY = b'<PropertyRef Name="CustomerAccount" />'


@pytest.mark.parametrize(
    "key",
    [b'<PropertyRef Name="RecId" />', ACCOUNT_KEY + b'<PropertyRef Name="ValidFrom" />', b""],
    ids=["another", "longer", "shorter"],
)
def test_another_key_of_an_entity_set_is_refused(
    scenes: MakeScene, tmp_path: Path, key: bytes
) -> None:
    scene = scenes()
    scene.wire.after = alter_metadata(ACCOUNT_KEY, key)
    with pytest.raises(ConfigurationError, match=r"has the key dataAreaId.* by dataAreaId, Cust"):
        look_at(scene, build_needs(), tmp_path)


@pytest.mark.parametrize(
    "key",
    [
        ACCOUNT_KEY + b'<PropertyRef Name="dataAreaId" />',
        b'<PropertyRef Name="customeraccount" /><PropertyRef Name="DATAAREAID" />',
        ACCOUNT_KEY,
    ],
)
def test_the_order_of_a_key_and_its_legal_entity_mean_nothing(
    scenes: MakeScene, tmp_path: Path, key: bytes
) -> None:
    scene = scenes()
    scene.wire.after = alter_metadata(b'<PropertyRef Name="dataAreaId" />' + ACCOUNT_KEY, key)
    look_at(scene, build_needs(), tmp_path)


def test_a_column_that_new_records_must_have_is_told_before_the_load(
    scenes: MakeScene, tmp_path: Path
) -> None:
    scene = scenes()
    scene.wire.after = alter_metadata(
        b'<Property Name="PersonFirstName" Type="Edm.String"',
        b'<Property Name="Region" Type="Edm.String" Nullable="false" />'
        b'<Property Name="PersonFirstName" Nullable="false" Type="Edm.String"',
    )
    seen = look_at(scene, build_needs(), tmp_path)
    text = "Region must be filled there, and task ContactToCustomer does not fill it"
    assert ("tasks.ContactToCustomer.fields.Region", "warning", text) in list_items(seen)
    assert [one.code for one in seen.preflight.doubts] == ["column_required"]


def test_a_next_page_elsewhere_is_not_followed(scenes: MakeScene, tmp_path: Path) -> None:
    scene = scenes()

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("CustomersV2"):
            return response
        return httpx.Response(
            200, json={**response.json(), "@odata.nextLink": "https://evil.test/data/CustomersV2"}
        )

    scene.wire.after = after
    with pytest.raises(Stopped, match=r"another host, evil\.test"):
        look_at(scene, build_needs(), tmp_path)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("https://a.dynamics.com", "https://A.dynamics.com/"),
        ("https://a.dynamics.com:443", "https://a.dynamics.com"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x/"),
    ],
)
def test_source_and_destination_must_be_two_systems(source: str, destination: str) -> None:
    assert is_refused(source, destination)


def is_refused(source: str, destination: str) -> bool:
    try:
        refuse_same_system(source, destination)
    except ConfigurationError as error:
        return "same system" in error.message
    return False


@pytest.mark.parametrize(
    "destination",
    ["https://b.dynamics.com", "https://a.dynamics.com:8443", "https://a.dynamics.com/scm"],
)
def test_two_systems_may_be_neighbours(destination: str) -> None:
    assert not is_refused("https://a.dynamics.com", destination)


CSDL = b"""<?xml version="1.0"?>
<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.Dynamics.DataEntities" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EnumType Name="NoYes"><Member Name="Yes" Value="1"/><Member Name="No" Value="0"/></EnumType>
<EntityType Name="CustomerV2"><Key><PropertyRef Name="dataAreaId"/></Key>
<Property Name="CustomerAccount" Type="Edm.String"/>
<Property Name="Region" Type="Edm.String" Nullable="false"/>
<Property Name="Level" Type="Edm.String" Nullable="false" DefaultValue="1"/>
<Property Name="Points" Type="Edm.Int32" Nullable="false"/>
<Property Name="dataAreaId" Type="Edm.String" Nullable="false"/>
<Property Name="OnHold" Type="Microsoft.Dynamics.DataEntities.NoYes"/></EntityType>
<EntityContainer Name="Resources">
<EntitySet Name="CustomersV2" EntityType="Microsoft.Dynamics.DataEntities.CustomerV2"/>
</EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_metadata_become_sets_and_enums() -> None:
    model = read_model(CSDL, "SCM")
    assert model == Model(
        sets={
            "CustomersV2": {
                "CustomerAccount": "Edm.String",
                "Region": "Edm.String",
                "Level": "Edm.String",
                "Points": "Edm.Int32",
                "dataAreaId": "Edm.String",
                "OnHold": "NoYes",
            }
        },
        enums={"NoYes": ("No", "Yes")},
        keys={"CustomersV2": ("dataAreaId",)},
        required={"CustomersV2": ("Region",)},
    )
    assert model.has("CustomersV2", "OnHold")
    assert not model.has("CustomersV2", "OnHold", "SiteId")
    assert not model.has("Customers")


def build_model(**changes: Any) -> Model:
    """A model that has just what the catalogue says, but for changes.

    Column → type, or null where it is not there.
    """
    enums = {
        "Gender": ("Unknown", "Male", "Female"),
        "NoYes": ("No", "Yes"),
        "Marital": ("None", "Single", "Married", "Divorced"),
    }
    kinds = {
        "Gender": "Gender",
        "MaritalStatus": "Marital",
        "IsInactive": "NoYes",
        "IsExternallyMaintained": "NoYes",
    }
    sets = {}
    for entity in ENTITIES.values():
        columns = {one.name: kinds.get(one.name, "Edm.String") for one in entity.columns} | changes
        sets[entity.odata_set] = {name: kind for name, kind in columns.items() if kind is not None}
    return Model(sets=sets, enums=enums)


def test_columns_and_enum_values_are_compared_with_the_live_model() -> None:
    found = check_contract(
        compile_mappings(), build_model(PrimaryContactFax=None, PersonFirstName=None)
    )
    assert found[0].endswith(
        "SCM does not know 'Widowhood'; it takes None, Single, Married, Divorced."
    )
    assert "CustomersV2 in this SCM has no such column. Did you mean 'PersonLastName'?" in found[1]
    assert [text.partition(":")[0] for text in found] == [
        "tasks.Contacts.fields.MaritalStatus",
        "tasks.ContactToCustomer.fields.PersonFirstName",
        "tasks.ContactToCustomer.fields.PrimaryContactFax",
    ]


def test_an_enum_whose_members_scm_does_not_tell_is_not_compared() -> None:
    model = build_model()
    assert (
        check_contract(compile_mappings(), replace(model, enums=dict.fromkeys(model.enums, ())))
        == []
    )


KNOWN = References(
    known={
        "CustomerGroupId": frozenset({join_key("usmf", "10"), join_key("demf", "20")}),
        "LanguageId": frozenset({join_key("en-US"), join_key("de")}),
        "AddressState": frozenset({join_key("US", "WA"), join_key("USA", "WA")}),
    }
)


def find_absent(
    entities: list[str | None], **columns: list[str | None]
) -> list[tuple[int, str, str]]:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    found = KNOWN.absent(frame, pl.Series(entities, dtype=pl.String))
    assert found.schema == PROBLEMS
    assert set(found["code"]) <= {"reference_not_in_scm"}
    return found.select("row", "destination", "value").rows()


def test_values_are_looked_for_in_their_legal_entity() -> None:
    assert find_absent(
        ["usmf", "USMF", "demf", "demf", None], CustomerGroupId=["10", " 10", "10", "20", "99"]
    ) == [(2, "CustomerGroupId", "10")]


def test_values_are_compared_as_scm_compares_them_and_blanks_refer_to_nothing() -> None:
    assert find_absent(["usmf"] * 4, LanguageId=["en-us", "DE", None, "fr"]) == [
        (3, "LanguageId", "fr")
    ]


def test_a_state_is_looked_for_in_its_country() -> None:
    columns: dict[str, list[str | None]] = {
        "AddressState": ["WA", "WA", "wa", "XX"],
        "AddressCountryRegionISOCode": ["US", "CA", None, "us"],
    }
    assert find_absent(["usmf"] * 4, **columns) == [
        (1, "AddressState", "WA"),
        (3, "AddressState", "XX"),
    ]
    assert find_absent(["usmf"], AddressState=["WA"], AddressCountryRegionId=["usa"]) == []
    assert find_absent(["usmf"], AddressState=["??"]) == [], "without a country nobody can tell"


def test_columns_that_were_not_read_are_passed_over() -> None:
    assert find_absent(["usmf"], SiteId=["99"], PersonFirstName=["Ada"]) == []
    assert find_absent([], LanguageId=[]) == []


def test_every_referring_column_is_in_the_catalogue() -> None:
    columns = {column.name for entity in ENTITIES.values() for column in entity.columns}
    assert set(REFERENCES) <= columns
    assert all(set(one.within) <= columns for one in REFERENCES.values())
