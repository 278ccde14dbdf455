"""The names under which Data management knows entities.

They follow the language in which SCM refreshed its list of entities. A package with another name is
refused as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import httpx

from pipeline.errors import RequestRefused
from pipeline.scm.literals import quote_text
from pipeline.scm.metadata import Model
from pipeline.wire.json_body import check_rows, read_json_object
from pipeline.wire.scm import Scm, ScmRow
from schemas.catalogue import Entity
from schemas.scm import CDS_CONTACTS, CUSTOMERS_V2, ENTITIES

LABEL_SETTINGS: Final = MappingProxyType(
    {CDS_CONTACTS.name: "contacts_label", CUSTOMERS_V2.name: "customers_label"}
)
"""Entity → the setting of ``[destination]`` that names it."""

_ENTITIES: Final = "DataManagementEntities"


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelsSeen:
    """The names that an entity may have; none where this SCM does not say.

    ``is_listed``: Data management's own list has them, so that no other name will do. Else they are
    the English ones of the metadata service.
    """

    names: tuple[str, ...] = ()
    is_listed: bool = False

    def choose(self, given: str | None, usual: Sequence[str]) -> str | None:
        """The name to use: the given one if it is there, else a usual one, else the first."""
        wanted = [*([given] if given else []), *usual]
        found = next((name for name in wanted if name in self.names), None)
        return found or next(iter(self.names), None)


def read_entity_labels(scm: Scm, model: Model, entity: Entity) -> LabelsSeen:
    """The names of an entity in Data management.

    Its constant name in code is looked for in Data management's list of entities, then its usual
    labels are. Without that list the metadata service is asked.

    Raises:
        Stopped: SCM cannot be reached.
    """
    described = _describe_entity(scm, entity.odata_set)
    if model.has(_ENTITIES, "EntityName", "TargetName"):
        targets = [entity.aot_name, str(described.get("Name") or "")]
        for target in dict.fromkeys(name.upper() for name in targets if name):
            found = _list_names(scm, [f"TargetName eq {quote_text(target)}"])
            if found:
                return LabelsSeen(names=found, is_listed=True)
    if model.has(_ENTITIES, "EntityName"):
        found = _list_names(scm, [f"EntityName eq {quote_text(one)}" for one in entity.labels])
        if found:
            return LabelsSeen(names=found, is_listed=True)
    label = _read_english(scm, described)
    return LabelsSeen(names=(label,)) if label else LabelsSeen()


def _list_names(scm: Scm, conditions: Iterable[str]) -> tuple[str, ...]:
    pages = scm.pages(_ENTITIES, select="EntityName", filter=" or ".join(conditions))
    return tuple(str(row["EntityName"]) for page in pages for row in page if row.get("EntityName"))


def _describe_entity(scm: Scm, entity_set: str) -> ScmRow:
    """What the metadata service says of the entity behind a set; nothing where it is missing."""
    condition = quote(f"PublicCollectionName eq '{entity_set}'")
    rows = _ask(scm, f"metadata/DataEntities?$filter={condition}")
    return next((row for row in rows if row.get("PublicCollectionName") == entity_set), {})


def _read_english(scm: Scm, described: ScmRow) -> str | None:
    label = str(described.get("LabelId") or "")
    if not label.startswith("@"):
        return label or None
    found = _ask(scm, f"metadata/Labels(Id='{quote(label, safe='')}',Language='en-us')")
    return next((str(row["Value"]) for row in found if row.get("Value")), None)


def _ask(scm: Scm, url: str) -> Sequence[ScmRow]:
    """Rows of the metadata service; empty where it is missing."""
    try:
        return scm.system.ask("GET", url, _read_rows, subject="metadata")
    except RequestRefused:
        return []


def _read_rows(response: httpx.Response) -> Sequence[ScmRow]:
    """The rows of a set, or the one that an address names."""
    answer = read_json_object(response)
    return check_rows(answer) if "value" in answer else [answer]


def check_labels(labels: Mapping[str, str | None], found: Mapping[str, LabelsSeen]) -> list[str]:
    """Entities that Data management knows by another name than the project says.

    ``labels``: entity → what the project calls it; ``found``: entity → what was seen.
    """
    wrong = []
    for entity, seen in found.items():
        given = labels.get(entity)
        if given and seen.is_listed and given not in seen.names:
            setting = f"destination.{LABEL_SETTINGS[entity]}"
            names = " or ".join(f"'{name}'" for name in seen.names)
            wrong.append(
                f"{entity} are called {names} here: set {setting} to that name, or remove the "
                f"setting (it is '{given}')."
            )
    return wrong


def choose_labels(
    labels: Mapping[str, str | None], found: Mapping[str, LabelsSeen]
) -> dict[str, str | None]:
    """Entity → the name to send; what the project says counts where SCM does not list names."""
    chosen: dict[str, str | None] = {}
    for entity, seen in found.items():
        given = labels.get(entity)
        own = given if not seen.is_listed else None
        chosen[entity] = own or seen.choose(given, ENTITIES[entity].labels)
    return chosen


def describe_label(entity: str, label: str | None) -> tuple[str, str, str]:
    """What ``p2c check`` says of an entity's name."""
    usual = ENTITIES[entity].labels
    if label is None:
        note = (
            f"SCM does not say its name in Data management: '{usual[0]}' is used, and the first "
            f"package shows whether it is right; destination.{LABEL_SETTINGS[entity]} sets another"
        )
        return f"entity {entity}", "note", note
    if label not in usual:
        note = (
            f"is '{label}' in Data management, so SCM has another language than English; messages "
            "of that language are shown as they are"
        )
        return f"entity {entity}", "note", note
    return f"entity {entity}", "ok", f"is '{label}' in Data management"
