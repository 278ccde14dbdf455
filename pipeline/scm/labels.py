"""The names under which Data management knows entities.

A package with a wrong name is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from pipeline.errors import RequestRefused
from pipeline.scm.metadata import Model
from pipeline.wire.scm import Scm, ScmRow
from pipeline.wire.system import read_json_object
from schemas.catalogue import Entity

_ENTITIES: Final = "DataManagementEntities"


def read_entity_label(scm: Scm, model: Model, entity: Entity) -> str | None:
    """The name of an entity in Data management; null where this SCM does not say.

    Data management's own list of entities is asked first, then the metadata service, whose labels
    are the same texts.

    Raises:
        Stopped: SCM cannot be reached.
    """
    if model.has(_ENTITIES, "EntityName"):
        condition = " or ".join(f"EntityName eq '{label}'" for label in entity.labels)
        names = {
            str(row["EntityName"])
            for page in scm.pages(_ENTITIES, select="EntityName", filter=condition)
            for row in page
        }
        return next((label for label in entity.labels if label in names), None)
    return _read_from_metadata(scm, entity.odata_set)


def _read_from_metadata(scm: Scm, entity_set: str) -> str | None:
    condition = quote(f"PublicCollectionName eq '{entity_set}'")
    rows = _ask(scm, f"metadata/DataEntities?$filter={condition}")
    label = next(
        (
            str(row.get("LabelId") or "")
            for row in rows
            if row.get("PublicCollectionName") == entity_set
        ),
        "",
    )
    if not label.startswith("@"):
        return label or None
    found = _ask(scm, f"metadata/Labels(Id='{quote(label, safe='')}',Language='en-us')")
    return next((str(row["Value"]) for row in found if row.get("Value")), None)


def _ask(scm: Scm, url: str) -> Sequence[ScmRow]:
    """Rows of the metadata service; empty where it is missing."""
    try:
        answer = scm.system.ask("GET", url, read_json_object, subject="metadata")
    except RequestRefused:
        return []
    rows = answer.get("value")
    return rows if isinstance(rows, list) else [answer]
