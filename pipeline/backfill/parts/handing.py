"""What the driver of a backfill writes for its workers: contacts, side tables and the kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.backfill.parts.kit import BY_ROW, JOINED, NAMED, RANKS, READ, BackfillKit
from pipeline.engine.protocol import Engine
from pipeline.events import Step
from pipeline.plan.parts.keys import KeysWork
from pipeline.plan.parts.kit import PartSource
from pipeline.plan.parts.route import name_side
from pipeline.plan.parts.sides import describe_source, store_keys
from pipeline.plan.request import Planning
from schemas.sales import CONTACTS
from sql.query import query
from sql.session import Session

_OPTIONAL = ("company_names", "only_ids")
"""Side tables that are read only where a view names them."""


def describe_contacts(
    planning: Planning, main: Session, words: Mapping[str, Sequence[str]]
) -> PartSource:
    """Contacts as workers read them; ``words`` are the blank words of each table."""
    return describe_source(planning, main, words[CONTACTS.name], planning.folder.parts)


def list_parts(source: PartSource) -> range:
    """The parts of contacts; there is one if there is no contact."""
    return range(-(-source.contacts.rows // source.part_rows) or 1)


def store_hashes(planning: Planning, engine: Engine, source: PartSource, session: Session) -> None:
    """The first pass: an engine makes ``hashes`` (``sql/backfill/hashes.sql``)."""
    work = KeysWork(source=source.write(source.folder / "source.json"), room="backfill")
    keys: list[str] = []
    total = source.contacts.rows
    for one in engine.map(work, list_parts(source)):
        keys.append(one.file)
        done = min(len(keys) * source.part_rows, total)
        planning.listener(Step(name="looking for repeats", done=done, total=total))
    store_keys(session, source.folder, keys)


def make_backfill_kit(
    planning: Planning, main: Session, source: PartSource, pattern: str
) -> BackfillKit:
    """Write the side tables, and describe everything that parts are made with.

    ``main`` has ``candidates`` and all that it reads; ``pattern`` finds numbers.
    """
    views = main.list_views((*READ, *JOINED))
    sides = tuple(
        name
        for name in (*BY_ROW, *NAMED)
        if name != RANKS and (name not in _OPTIONAL or any(name in text for text in views.values()))
    )
    for name in sides:
        main.copy(query("plan/parts/whole", rows=name), source.folder / name_side(name))
    return BackfillKit(
        source=source,
        views=views,
        sides=sides,
        settings=planning.project.effective(),
        pattern=pattern,
    )
