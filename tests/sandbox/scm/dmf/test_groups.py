"""Data projects: they are deleted over OData, unless an import is under way."""

from __future__ import annotations

import dataclasses

from pipeline.sandbox.scm.switches import STRICT
from tests.sandbox.scm.dmf.test_importing import order, run, status
from tests.scenes.handmade import Made, customers
from tests.scenes.scm_caller import Caller, inner

GROUP = "/data/DataManagementDefinitionGroups('group')"
DATA = customers("C-1,Person,Name,10,USD,100")


def names(scm: Caller, entity_set: str, column: str) -> list[str]:
    return [row[column] for row in scm.get(f"/data/{entity_set}")["value"]]


def test_a_data_project_goes_with_its_entities_and_leaves_the_record_of_its_import() -> None:
    with Caller() as scm:
        execution = run(scm, DATA)
        assert names(scm, "DataManagementDefinitionGroups", "Name") == ["group"]
        assert scm.ask("DELETE", GROUP).status_code == 204
        assert names(scm, "DataManagementDefinitionGroups", "Name") == []
        assert names(scm, "DataManagementDefinitionGroupDetails", "EntityName") == []
        assert status(scm, execution) == "Succeeded"
        assert scm.ask("DELETE", GROUP).status_code == 404


def test_a_data_project_whose_import_is_under_way_stays() -> None:
    with Caller(dataclasses.replace(STRICT, import_seconds=60.0)) as scm:
        run(scm, DATA)
        assert "execution in progress" in inner(scm.ask("DELETE", GROUP))
        assert names(scm, "DataManagementDefinitionGroupDetails", "EntityName") == ["Customers V2"]
        scm.clock.now += 61
        assert scm.ask("DELETE", GROUP).status_code == 204


def test_a_description_has_at_most_60_characters() -> None:
    with Caller() as scm:
        made = Made(entities=[DATA])

        def describe(length: int) -> Made:
            manifest = made.manifest_xml()
            given = manifest.replace("<Description>By hand<", f"<Description>{'x' * length}<")
            return dataclasses.replace(made, manifest=given)

        assert status(scm, run(scm, describe(60))) == "Succeeded"
        said = scm.refused("ImportFromPackage", **order(scm, describe(61)))
        assert "more than 60 characters" in said
