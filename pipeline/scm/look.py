"""One look at SCM before a plan or a check.

It reports everything that is wrong at once, and reads what a plan needs to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigurationError, list_problems
from pipeline.mapping.compile import CompiledTemplate
from pipeline.mapping.references import REFERENCES, References
from pipeline.scm.contract import check_contract, check_keys, find_unfilled
from pipeline.scm.formats import SOURCE_FORMAT, SourceFormat, read_source_format
from pipeline.scm.keys import read_customers, read_legal_entities, read_persons
from pipeline.scm.labels import check_labels, choose_labels, describe_label, read_entity_labels
from pipeline.scm.metadata import Model, read_model
from pipeline.scm.preflight import Preflight, ScmDoubt, look_ahead
from pipeline.scm.reference import (
    MissingValue,
    UnreadColumn,
    find_missing,
    keep_reference_data,
    read_references,
)
from pipeline.suggest import suggest_nearest
from pipeline.wire.scm import Scm

CUSTOMERS_FILE: Final = "scm_customers.parquet"
PERSONS_FILE: Final = "scm_contact_persons.parquet"


Item = tuple[str, str, str]
"""What was looked at; ``ok``, ``note`` or ``warning``; a sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmNeeds:
    """What a project needs of SCM. ``labels``: entity → its name in Data management, if given."""

    mappings: Sequence[CompiledTemplate]
    legal_entities: Sequence[str]
    labels: Mapping[str, str | None]
    packages: bool
    """Whether anything may be sent as a package, so that names in Data management matter."""
    model: Model | None = None
    """SCM's metadata, where they were read already."""
    wrong: Sequence[str] = ()
    """What the templates ask of SCM's columns in vain, a sentence each."""
    example: str | None = None
    """A contact number as the source has them; null if their form is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmSnapshot:
    """What SCM has.

    ``customers`` and ``persons`` are files (``keys.CUSTOMERS``, ``keys.PERSONS``). ``names`` maps
    our legal entities to their names. ``references`` is what gate 6 compares rows with. ``unread``
    and ``missing`` are for findings and checks.
    """

    system: str
    names: Mapping[str, str]
    customers: Path
    persons: Path
    customer_count: int
    person_count: int
    references: References
    unread: Sequence[UnreadColumn]
    missing: Sequence[MissingValue]
    labels: Mapping[str, str | None]
    source_format: SourceFormat | None = None
    """That of packages; null where SCM does not publish it."""
    preflight: Preflight


def look_at_scm(
    scm: Scm, wanted: ScmNeeds, into: Path, progress: Callable[[str, int], None]
) -> ScmSnapshot:
    """Look at SCM.

    Args:
        scm: where to look.
        wanted: what the project needs.
        into: the folder for tables.
        progress: called with what was read, and how many rows it had.

    Raises:
        ConfigurationError: SCM does not accept the templates, lacks our legal entities, or knows
            the entity by another name; all problems at once.
        Stopped: SCM cannot be reached, or refuses.
    """
    model = wanted.model or read_model(scm.metadata(), scm.label)
    sent = [one.entity for one in wanted.mappings] if wanted.packages else []
    found = {one.name: read_entity_labels(scm, model, one) for one in sent}
    source_format = read_source_format(scm, model) if wanted.packages else None
    names = read_legal_entities(scm, model)
    wrong = [
        *(wanted.wrong or check_contract(wanted.mappings, model)),
        *check_keys(wanted.mappings, model),
        *_check_entities(wanted, names),
        *check_labels(wanted.labels, found),
        *_check_format(source_format),
    ]
    if wrong:
        raise ConfigurationError(list_problems(wrong), where=scm.label)
    references, unread = read_references(scm, model, wanted.mappings, wanted.legal_entities)
    progress("reference data of SCM", sum(map(len, references.known.values())))
    customers, persons = _read_keys(scm, model, wanted, into, progress)
    ahead = _look_ahead(scm, model, wanted)
    keep_reference_data(into, references, ahead.prospects)
    return ScmSnapshot(
        system=scm.label,
        names={entity: (names or {}).get(entity.lower(), "") for entity in wanted.legal_entities},
        customers=into / CUSTOMERS_FILE,
        persons=into / PERSONS_FILE,
        customer_count=customers,
        person_count=persons,
        references=references,
        unread=unread,
        missing=list(find_missing(wanted.mappings, references, wanted.legal_entities)),
        labels=choose_labels(wanted.labels, found),
        source_format=source_format,
        preflight=ahead,
    )


def _look_ahead(scm: Scm, model: Model, wanted: ScmNeeds) -> Preflight:
    ahead = look_ahead(
        scm, model, wanted.legal_entities, packages=wanted.packages, example=wanted.example
    )
    return replace(ahead, doubts=[*_doubt_unfilled(wanted.mappings, model), *ahead.doubts])


def _doubt_unfilled(mappings: Sequence[CompiledTemplate], model: Model) -> Iterator[ScmDoubt]:
    """Columns that a new record must have and that nothing fills."""
    for task, name in find_unfilled(mappings, model):
        yield ScmDoubt(
            code="column_required",
            what=f"tasks.{task}.fields.{name}",
            text=f"{name} must be filled there, and task {task} does not fill it",
        )


def _read_keys(
    scm: Scm, model: Model, wanted: ScmNeeds, into: Path, progress: Callable[[str, int], None]
) -> tuple[int, int]:
    """Read the keys of customers and contact persons into files; how many there are."""
    customers = read_customers(scm, model, wanted.legal_entities, into / CUSTOMERS_FILE)
    progress("customers of SCM", customers)
    persons = read_persons(scm, wanted.legal_entities, into / PERSONS_FILE)
    progress("contact persons of SCM", persons)
    return customers, persons


def _check_entities(wanted: ScmNeeds, names: Mapping[str, str] | None) -> list[str]:
    """Legal entities of the project that SCM does not have."""
    if names is None:
        return []
    return [
        (
            f"there is no legal entity '{entity}'.{suggest_nearest(entity.lower(), names)} Check "
            "destination.legal_entity and [organizations]."
        )
        for entity in wanted.legal_entities
        if entity.lower() not in names
    ]


def _check_format(found: SourceFormat | None) -> list[str]:
    """A source data format by which SCM reads packages wrongly."""
    return [found.problem] if found is not None and found.problem is not None else []


def list_items(seen: ScmSnapshot) -> list[Item]:
    """What was looked at, for ``p2c check``."""
    named = ", ".join(
        f"{entity} ({name})" if name else entity for entity, name in seen.names.items()
    )
    found: list[Item] = [
        ("SCM", "ok", f"{seen.system}, legal entities: {named or 'none'}"),
        ("customers of SCM", "ok", f"{seen.customer_count:,}"),
        ("contact persons of SCM", "ok", f"{seen.person_count:,}"),
    ]
    found += [describe_label(entity, label) for entity, label in seen.labels.items()]
    if seen.source_format is not None:
        found.append((f"source data format {SOURCE_FORMAT}", "ok", "en-US and UTC"))
    found += [(one.what, "warning", one.text) for one in seen.preflight.doubts]
    if seen.preflight.prospects is not None:
        found.append(("prospects of SCM", "ok", f"{seen.preflight.prospects.height:,}"))
    found += [_describe_missing(one) for one in seen.missing]
    for one in seen.unread:
        note = f"SCM does not publish {one.entity_set}: values are not checked before the load"
        found.append((one.column, "note", note))
    return found


def _describe_missing(one: MissingValue) -> Item:
    owner = f"legal entity {one.legal_entity} has" if one.legal_entity else "SCM has"
    what = REFERENCES[one.column].what
    return (
        f"tasks.{one.task}.fields.{one.column}",
        "warning",
        f"{owner} no {what} '{one.value}'; rows that need it will be held",
    )
