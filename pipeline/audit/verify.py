"""``verify``: the journal's chain, every file's hash, the equations.

Says exactly what was altered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.audit.recount import recount_run
from pipeline.errors import InvariantBroken, P2cError
from pipeline.flow.threads import WorkerThreads
from pipeline.run.chain import REPORTED, Check, prove_chain
from pipeline.run.evidence import Evidence, gather_evidence
from pipeline.run.facts import SourceRead
from pipeline.run.files import hash_file
from pipeline.run.folder import RunFolder
from pipeline.run.journal import list_recorded_hashes

ALTERED: Final = ("missing", "cut", "altered")
_THREADS: Final = 2
_SMALL: Final = 1_000_000
"""Bytes of a file that is read at a glance."""

PAGE: Final = "report.html"
_START: Final = frozenset({"apply_started", "apply_resumed"})
_OWN: Final = frozenset({"run.json", "summary.json", "journal.jsonl", ".lock"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """All checks, and what could be read of the run."""

    evidence: Evidence
    checks: tuple[Check, ...]

    @property
    def altered(self) -> bool:
        """Whether anything inside the run folder is not what was written."""
        return any(one.status in ALTERED for one in self.checks)

    @property
    def exit_code(self) -> int:
        """4 altered, 3 a command was interrupted, 1 a source outside changed, 0 whole."""
        found = {one.status for one in self.checks}
        if self.altered:
            return 4
        return 3 if "interrupted" in found else 1 if "changed" in found else 0


def verify_folder(folder: RunFolder) -> Verification:
    """Check a run folder; nothing in it stops the check."""
    evidence = gather_evidence(folder)
    hashes = list_recorded_hashes(evidence.entries)
    page = hashes.pop(PAGE, None)
    checks = _check_records(evidence)
    checks += [] if page is None else _check_page(evidence, page)
    checks += _check_files(folder, hashes, _list_pending_hashes(evidence))
    checks += _check_sources(evidence)
    checks += _note_unvouched(folder, hashes.keys() | ({PAGE} if page else set()))
    checks += recount_run(evidence)
    return Verification(evidence=evidence, checks=_say_once(checks))


def glance_at_folder(folder: RunFolder) -> Verification:
    """Check in a moment what can be: the journal, the summary, small files, and that all are there.

    Large files are not read, so what is altered inside them is not seen.
    """
    evidence = gather_evidence(folder)
    hashes = list_recorded_hashes(evidence.entries)
    page = hashes.pop(PAGE, None)
    small = {name: each for name, each in hashes.items() if not _is_large(folder.path / name)}
    checks = _check_records(evidence)
    checks += [] if page is None else _check_page(evidence, page)
    checks += _check_files(folder, small, _list_pending_hashes(evidence))
    return Verification(evidence=evidence, checks=_say_once(checks))


def require_unaltered(folder: RunFolder) -> None:
    """Refuse to decide anything by a run whose records or tables were altered.

    The report is no part of them.

    Raises:
        InvariantBroken: they were.
    """
    evidence = gather_evidence(folder)
    hashes = list_recorded_hashes(evidence.entries)
    hashes.pop(PAGE, None)
    checks = _check_records(evidence)
    checks += _check_files(folder, hashes, _list_pending_hashes(evidence))
    wrong = [one for one in checks if one.status in ALTERED]
    if wrong:
        raise InvariantBroken(
            f"the run folder was altered: {wrong[0].sentence} `p2c verify {folder.run}` lists all.",
            where=folder.run,
        )


def _is_large(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > _SMALL


def _check_records(evidence: Evidence) -> list[Check]:
    """The journal, and what could not be read of the records beside it."""
    checks = prove_chain(evidence.folder.journal, evidence.summary.journal)
    if evidence.summary.journal is None and _is_readable(evidence, "summary.json"):
        sentence = "summary.json does not say where the journal ends: it was altered."
        checks.append(Check(what="summary.json", status="altered", sentence=sentence))
    checks += [
        Check(what=one.file, status=one.fault, sentence=one.sentence)
        for one in evidence.troubles
        if one.file in ("run.json", "summary.json") and one.fault in ("missing", "cut", "altered")
    ]
    checks += [
        Check(what=one.file, status="note", sentence=one.sentence)
        for one in evidence.troubles
        if one.fault in ("older", "unfinished", "purged")
    ]
    checks += [
        Check(what=one.file, status="interrupted", sentence=one.sentence)
        for one in evidence.troubles
        if one.fault == "interrupted"
    ]
    return checks + _check_summary(evidence)


def _is_readable(evidence: Evidence, name: str) -> bool:
    """Whether a record is there, and nothing worse is known of it."""
    known = {one.file for one in evidence.troubles if one.fault in ("missing", "cut", "altered")}
    return (evidence.folder.path / name).is_file() and name not in known


def _say_once(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Checks without those that say again that something is missing."""
    first: dict[object, Check] = {}
    for one in checks:
        first.setdefault((one.what, one.status) if one.status == "missing" else one, one)
    return tuple(first.values())


def _check_summary(evidence: Evidence) -> list[Check]:
    """The summary against the digest in its last journal line, if that line has one."""
    end = evidence.summary.journal
    said = next(
        (entry.payload.get("summary") for entry in evidence.entries if entry.hash == end), None
    )
    if not isinstance(said, str):
        return []
    if evidence.summary_digest == said:
        return [
            Check(what="summary.json", status="ok", sentence="summary.json is as it was written.")
        ]
    sentence = "summary.json was altered: its facts are not those that the journal vouches for."
    return [Check(what="summary.json", status="altered", sentence=sentence)]


def _list_pending_hashes(evidence: Evidence) -> dict[str, set[str]]:
    """File → hashes that it may also have while a command is changing the run.

    The journal names a file before it is in its place, or before it is removed.
    """
    found: dict[str, set[str]] = {}
    if (evidence.started and not evidence.finished) or evidence.interrupted:
        for entry in evidence.entries:
            for name, sha256 in list_recorded_hashes([entry]).items():
                if sha256 is not None:
                    found.setdefault(name, set()).add(sha256)
    return found


def _check_files(
    folder: RunFolder, hashes: Mapping[str, str | None], also: Mapping[str, set[str]]
) -> list[Check]:
    with WorkerThreads(_THREADS) as pool:
        return list(
            pool.map(
                lambda one: _check_file(folder, one[0], one[1], also.get(one[0], set())),
                hashes.items(),
            )
        )


def _check_file(folder: RunFolder, name: str, expected: str | None, also: Collection[str]) -> Check:
    path = folder.path / name
    if not _is_inside(path, folder):
        return Check(
            what=name,
            status="altered",
            sentence=f"The journal names {name}, which is outside the run folder.",
        )
    if expected is None:
        return _check_purged(path, name, also)
    if not path.is_file():
        return Check(what=name, status="missing", sentence=f"{name} is missing.")
    try:
        found = hash_file(path)
    except P2cError as error:
        return Check(what=name, status="cut", sentence=f"{name} cannot be read: {error.message}")
    if found == expected or found in also:
        return Check(what=name, status="ok", sentence=f"{name} is as it was written.")
    return Check(
        what=name,
        status="altered",
        sentence=f"{name} was altered: its SHA-256 is not the one in the journal.",
    )


def _is_inside(path: Path, folder: RunFolder) -> bool:
    """Whether a path leads into the run folder; a name that no file can have does not."""
    try:
        return path.resolve().is_relative_to(folder.path.resolve())
    except (OSError, ValueError):
        return False


def _check_page(evidence: Evidence, expected: str) -> list[Check]:
    """The report, if it is there; people may move it away."""
    check = _check_file(evidence.folder, PAGE, expected, set())
    if check.status == "missing":
        return []
    events = [entry.event for entry in evidence.entries]
    if check.status == "altered" and events[-1] != REPORTED and _START & {*_since_report(events)}:
        sentence = f"{PAGE} may be of a moment while the run was applied: `p2c report` renews it."
        return [Check(what=PAGE, status="note", sentence=sentence)]
    return [check]


def _since_report(events: Sequence[str]) -> Sequence[str]:
    """The events after the last page."""
    return events[len(events) - events[::-1].index(REPORTED) :]


def _check_purged(path: Path, name: str, also: Collection[str]) -> Check:
    """A file that a purge removed, or is about to remove."""
    if not path.exists():
        return Check(what=name, status="note", sentence=f"{name} was purged.")
    if path.is_file() and hash_file(path) in also:
        return Check(what=name, status="note", sentence=f"{name} has not been purged yet.")
    sentence = f"{name} is there again, though it was purged."
    return Check(what=name, status="altered", sentence=sentence)


def _check_sources(evidence: Evidence) -> list[Check]:
    """The user's own files.

    Those that are read where they lie belong to the evidence; others were copied when landed.
    """
    with WorkerThreads(_THREADS) as pool:
        sources = [one for one in evidence.run.sources if one.in_place]
        return list(pool.map(_check_source, sources))


def _check_source(one: SourceRead) -> Check:
    path, what = Path(one.path), f"source {one.file}"
    if not path.is_file():
        return Check(
            what=what,
            status="changed",
            sentence=f"{one.file} is not where the run read it: {path}.",
        )
    if path.stat().st_size == one.bytes and hash_file(path) == one.sha256:
        return Check(what=what, status="ok", sentence=f"{one.file} is as the run read it.")
    return Check(
        what=what,
        status="changed",
        sentence=f"{one.file} changed since the run read it: {path}.",
    )


def _note_unvouched(folder: RunFolder, vouched: AbstractSet[str]) -> list[Check]:
    """Files that the journal has no hash of: only their figures can be checked."""
    there = {
        path.relative_to(folder.path).as_posix()
        for path in folder.path.rglob("*")
        if path.is_file()
    }
    return [
        Check(what=name, status="note", sentence=f"{name} has no hash in the journal.")
        for name in sorted(there - vouched - _OWN)
    ]


def list_checks(found: Verification) -> list[dict[str, str]]:
    """The checks for ``--json``: what, status, sentence."""
    return [
        {"what": one.what, "status": one.status, "sentence": one.sentence} for one in found.checks
    ]


def render_checks(found: Verification) -> str:
    """What does not hold, line by line; else that all does."""
    run = found.evidence.folder.run
    good = sum(one.status == "ok" for one in found.checks)
    wrong = [one for one in found.checks if one.status != "ok"]
    lines = [f"Run {run}: {good} checks hold."]
    lines += [f"  {one.status:<8} {one.sentence}" for one in wrong]
    if found.altered:
        lines.append("The run folder was altered.")
    elif any(one.status == "interrupted" for one in found.checks):
        lines.append("A command was interrupted while it changed the run folder; finish it.")
    elif found.exit_code:
        lines.append("The run folder is as it was written; a source outside it changed.")
    else:
        lines.append("The run folder is as it was written.")
    return "\n".join(lines)
