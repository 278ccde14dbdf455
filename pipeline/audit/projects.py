"""``purge --scm``: data projects that p2c made are removed from SCM.

Every package leaves one behind. Only those are removed that a journal of ours names as sent, and
whose imports have ended by what the journal and SCM say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.errors import count_of
from pipeline.load.packages.dmf import PackageClient
from pipeline.run.files import locked
from pipeline.run.folder import Clock, RunFolder
from pipeline.run.journal import Journal, read_journal
from pipeline.run.ledger import IMPORT, Unit, list_ended_units
from pipeline.run.vouching import vouch
from pipeline.scm.literals import quote_text
from pipeline.wire.once import Declined
from pipeline.wire.scm import Scm

SET: Final = "DataManagementDefinitionGroups"

TIDIED: Final = "data_projects_removed"
"""The journal's line after data projects of a run were removed."""

_ENDED: Final = frozenset({"Succeeded", "PartiallySucceeded", "Failed", "Canceled"})
_AT_ONCE: Final = 20
"""Names in one filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataProjects:
    """Data projects that SCM still has: those that can go, by run, and those that must stay.

    ``busy`` have an import of which the journal or SCM does not say that it ended.
    """

    removable: Mapping[str, tuple[RunFolder, ...]]
    busy: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RemovedProjects:
    """What was removed, and what SCM said where it refused: project → cause."""

    names: tuple[str, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sent:
    """One import of a project: its id, and whether the journal says that it ended."""

    execution: str
    is_final: bool


def find_projects(
    scm: Scm, chosen: Sequence[RunFolder], every: Sequence[RunFolder]
) -> DataProjects:
    """The data projects of some runs that SCM still has.

    Args:
        scm: the SCM that they were sent to.
        chosen: the runs.
        every: all runs that sent to this SCM: equal rows share a project.

    Raises:
        InvariantBroken: a journal does not hold.
        Stopped: SCM cannot be reached, or refuses to show them.
    """
    wanted: defaultdict[str, list[RunFolder]] = defaultdict(list)
    for run in chosen:
        for name in dict.fromkeys(name for name, _ in _list_sent(run)):
            wanted[name].append(run)
    sent: defaultdict[str, list[_Sent]] = defaultdict(list)
    for run in every:
        for name, one in _list_sent(run):
            if name in wanted:
                sent[name].append(one)
    client = PackageClient(scm=scm)
    removable, busy = {}, []
    for name in _find_there(scm, sorted(wanted)):
        if all(_is_over(client, one) for one in sent[name]):
            removable[name] = tuple(wanted[name])
        else:
            busy.append(name)
    return DataProjects(removable=removable, busy=tuple(busy))


def _list_sent(run: RunFolder) -> Iterator[tuple[str, _Sent]]:
    entries = read_journal(run.journal).entries
    ended = {one.unit for one in list_ended_units(entries)}
    for entry in entries:
        if entry.event == "intent" and entry.payload.get("effect") == IMPORT:
            yield (
                str(entry.payload["definition_group"]),
                _Sent(
                    execution=str(entry.payload["execution_id"]),
                    is_final=Unit.of(entry.payload) in ended,
                ),
            )


def _find_there(scm: Scm, names: Sequence[str]) -> Iterator[str]:
    """The names that SCM has."""
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        chosen = " or ".join(f"Name eq {quote_text(name)}" for name in some)
        there = {
            str(row.get("Name", "")).casefold()
            for page in scm.pages(SET, select="Name", filter=chosen)
            for row in page
        }
        yield from (name for name in some if name.casefold() in there)


def _is_over(client: PackageClient, one: _Sent) -> bool:
    """Whether an import has ended: for the journal, and for SCM as far as it keeps a record."""
    if not one.is_final:
        return False
    status = client.status(one.execution)
    return status is None or status in _ENDED


def remove_projects(scm: Scm, found: DataProjects, clock: Clock) -> RemovedProjects:
    """Remove data projects, and write into the journals of their runs that they are gone.

    Raises:
        Stopped: SCM cannot be reached, or a run is being applied. Call it again to continue.
    """
    gone: list[str] = []
    refused: dict[str, str] = {}
    try:
        for name in found.removable:
            try:
                scm.delete(SET, name)
                gone.append(name)
            except Declined as declined:
                refused[name] = declined.refusal.cause or declined.message
    finally:
        _write_down(found, gone, clock)
    return RemovedProjects(names=tuple(gone), refused=refused)


def _write_down(found: DataProjects, gone: Sequence[str], clock: Clock) -> None:
    names: defaultdict[RunFolder, list[str]] = defaultdict(list)
    for name in gone:
        for run in found.removable[name]:
            names[run].append(name)
    for run, own in names.items():
        with (
            locked(run.path, "another process is applying this run."),
            Journal.open(run.journal, clock) as journal,
        ):
            vouch(run, journal, TIDIED, run.read_summary(), projects=own)


def render_projects(found: DataProjects) -> str:
    """What would be removed."""
    if not found.removable and not found.busy:
        return "SCM has no data project of these runs any more."
    runs = {run for own in found.removable.values() for run in own}
    lines = [
        (
            f"{count_of(len(found.removable), 'data project')} in SCM, "
            f"made by {count_of(len(runs), 'run')}:"
        )
    ]
    lines += [f"  {name}" for name in list(found.removable)[:_AT_ONCE]]
    if len(found.removable) > _AT_ONCE:
        lines.append(f"  and {len(found.removable) - _AT_ONCE:,} more")
    if found.busy:
        lines.append(
            f"{len(found.busy):,} others stay: nothing says yet that their imports have ended."
        )
    return "\n".join(lines)
