"""What of SCM may stop a load that its metadata cannot show: rights, number sequences, prospects.

All of it is asked for where SCM publishes it; where it does not, the plan works without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from pipeline.errors import AccessDenied
from pipeline.scm.literals import COMPANY, build_company_filter
from pipeline.scm.metadata import Model
from pipeline.scm.reference import tabulate
from pipeline.scm.sequences import find_objections, read_sequences
from pipeline.wire.once import Declined
from pipeline.wire.scm import Scm

_DETAILS: Final = "DataManagementExecutionJobDetails"
_PROSPECT_SETS: Final = re.compile(r"Prospects(V\d+)?")
_PROSPECT_NUMBERS: Final = (
    "ProspectId",
    "ProspectNumber",
    "ProspectAccountNumber",
    "ProspectAccount",
)
_PARTY: Final = "PartyNumber"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmDoubt:
    """Something that may make SCM refuse rows, or hide what became of them.

    ``code`` is in ``schemas/codes.toml``; ``what`` was looked at; ``text`` says what is wrong.
    """

    code: str
    what: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Preflight:
    """What was found. ``prospects``: dataAreaId, ProspectId, PartyNumber, null if not read."""

    doubts: Sequence[ScmDoubt] = ()
    prospects: pl.DataFrame | None = field(default=None)


def look_ahead(
    scm: Scm, model: Model, legal_entities: Sequence[str], *, packages: bool, example: str | None
) -> Preflight:
    """Look at what may stop a load.

    Args:
        scm: where to look.
        model: its metadata.
        legal_entities: those that the project fills.
        packages: whether anything may be sent as a package.
        example: a contact number as the source has them; null if their form is not known.

    Raises:
        Stopped: SCM cannot be reached.
    """
    doubts = [
        *(_check_rights(scm, model) if packages else ()),
        *_check_sequences(scm, model, legal_entities, example),
    ]
    return Preflight(doubts=doubts, prospects=_read_prospects(scm, model, legal_entities))


def _check_rights(scm: Scm, model: Model) -> Iterator[ScmDoubt]:
    """Whether the user may read how imports end."""
    if not model.has(_DETAILS):
        return
    try:
        next(scm.pages(_DETAILS, top="1"), None)
    except (Declined, AccessDenied):
        yield ScmDoubt(
            code="import_unwatched",
            what="execution details",
            text=f"{_DETAILS} cannot be read",
        )


def _check_sequences(
    scm: Scm, model: Model, legal_entities: Sequence[str], example: str | None
) -> Iterator[ScmDoubt]:
    for one in read_sequences(scm, model, legal_entities) or ():
        for text in find_objections(one, example):
            yield ScmDoubt(code="number_sequence_differs", what=f"sequence {one.name}", text=text)


def _read_prospects(scm: Scm, model: Model, legal_entities: Sequence[str]) -> pl.DataFrame | None:
    """Prospects of our legal entities; null where SCM does not publish them, or not to us."""
    for name in sorted(filter(_PROSPECT_SETS.fullmatch, model.sets), reverse=True):
        number = next((one for one in _PROSPECT_NUMBERS if model.has(name, one)), None)
        if number is None or not model.has(name, COMPANY, _PARTY):
            continue
        names = [COMPANY, number, _PARTY]
        options = {"select": ",".join(names), "filter": build_company_filter(legal_entities)}
        try:
            pages = [tabulate(page, names) for page in scm.pages(name, **options)]
        except (Declined, AccessDenied):
            return None
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        return pl.concat([empty, *pages]).rename({number: "ProspectId"})
    return None
