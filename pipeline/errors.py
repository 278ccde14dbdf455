"""Every error that stops p2c, grouped by what the run does next.

    P2cError
    ├── Refused               exit 2   nothing was sent; change the input and call again
    │   ├── UsageError                 the command line asks for something impossible
    │   │   └── RecordUnreadable       a record of a run is missing, cut or of another version
    │   ├── ConfigurationError         p2c.toml, a setting or a template is wrong
    │   ├── SourceError                a source cannot be read as a whole
    │   └── PlanRefused                a plan is stale or made for something else
    ├── Stopped               exit 3   the world stopped us; the same command resumes
    │   └── SystemStopped              a system on the wire did not do what it was asked
    │       ├── Unreachable            no connection, or it broke off
    │       │   └── LoginAway          the login service fails for now; nothing was sent
    │       ├── LoginFailed   exit 2   the login service or the system refuses the caller
    │       ├── AccessDenied  exit 2   the caller is known and may not do this
    │       ├── Throttled              the system asks us to wait longer than we do
    │       ├── ServerFailed           the system, or a gateway before it, fails
    │       ├── AnswerUnreadable       the answer breaks the protocol: HTML, cut off, no JSON
    │       └── RequestRefused         the request was understood and refused; nothing happened
    ├── InvariantBroken       exit 4   an equation does not balance: a defect, or an altered folder
    └── Defect                exit 4   an error of the program that nobody foresaw

Problems of single rows are not errors: they are findings (``schemas/codes.toml``).
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final


class P2cError(Exception):
    """An error that is a sentence.

    ``where`` names file, row, column or setting. ``code`` is stable: programs may rely on it.
    """

    exit_code: ClassVar[int] = 4
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.message = message
        self.where = where


class Refused(P2cError):
    """Nothing was sent."""

    exit_code = 2
    code = "refused"


class UsageError(Refused):
    """The command line asks for something impossible."""

    code = "usage"


class RecordUnreadable(UsageError):
    """A record of a run, such as ``run.json``, is missing, cut or of another version."""


class ConfigurationError(Refused):
    """``p2c.toml``, a setting or a template is wrong."""

    code = "configuration"


class SourceError(Refused):
    """A source cannot be read as a whole."""

    code = "source"


class PlanRefused(Refused):
    """A plan is stale or made for something else."""

    code = "plan_refused"


class Stopped(P2cError):
    """A system, the network, the disk, another process or Ctrl-C stopped the run.

    The same command resumes it.
    """

    exit_code = 3
    code = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What a system said when it did not do what it was asked, as data.

    Sentences are made from it; nobody reads it back out of a sentence. Texts hold no secrets and
    are blank where the answer has none.
    """

    status: int | None = None
    """The HTTP status; null without an answer."""
    code: str = ""
    """The system's own code or word, as in ``0x80044352`` or ``AADSTS7000215``."""
    text: str = ""
    """The message of the answer."""
    cause: str = ""
    """The innermost message of the answer, which says most; ``text`` where none is nested."""


NO_REFUSAL: Final = Refusal()
"""Nothing was said: there was no answer, or the failure is our own finding."""


class SystemStopped(Stopped):
    """A system on the wire did not do what it was asked.

    ``again`` says whether the same request may succeed later. ``wait`` is how many seconds the
    system asked us to wait. ``event`` is what happened, without what to do about it; it may be
    blank.
    """

    code = "system_stopped"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        again: bool = False,
        wait: float | None = None,
        refusal: Refusal = NO_REFUSAL,
        event: str = "",
    ) -> None:
        super().__init__(message, where=where)
        self.again = again
        self.wait = wait
        self.refusal = refusal
        self.event = event

    @property
    def status(self) -> int | None:
        """The HTTP status; null without an answer."""
        return self.refusal.status


class Unreachable(SystemStopped):
    """There is no connection, or it broke off."""

    code = "unreachable"


class LoginAway(Unreachable):
    """The login service fails, asks us to wait or cannot be reached: it passes.

    The request that needed the login had no effect.
    """

    code = "login_away"


class LoginFailed(SystemStopped):
    """The login service or the system refuses the caller.

    Calling again does not help before somebody changes the login or its settings.
    """

    exit_code = 2
    code = "login_failed"


class AccessDenied(SystemStopped):
    """The caller is known and may not do this.

    Calling again does not help before somebody gives it the right.
    """

    exit_code = 2
    code = "access_denied"


class Throttled(SystemStopped):
    """The system asks us to wait longer, or more often, than we do."""

    code = "throttled"


class ServerFailed(SystemStopped):
    """The system, or a gateway before it, fails."""

    code = "server_failed"


class AnswerUnreadable(SystemStopped):
    """The answer is not what the protocol promises."""

    code = "answer_unreadable"


class RequestRefused(SystemStopped):
    """The request was understood and refused; nothing happened."""

    code = "request_refused"


class InvariantBroken(P2cError):
    """An invariant is broken."""

    exit_code = 4
    code = "invariant_broken"


class Defect(P2cError):
    """An error of the program that nobody foresaw."""

    exit_code = 4
    code = "defect"


def list_problems(problems: Sequence[object]) -> str:
    """All problems of one kind as one message: the first, then the others, one on each line."""
    if len(problems) == 1:
        return str(problems[0])
    others = "".join(f"\n  {problem}" for problem in problems[1:])
    noun = "problem" if len(problems) == 2 else "problems"  # noqa: PLR2004
    return f"{problems[0]}\n{len(problems) - 1} further {noun}:{others}"


def list_first(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are: ``a, b and 4 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """A number with what it counts: ``1 row``, ``2,558 rows``.

    ``plural`` is blank where an s makes it.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file grew over the size limit",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.ENOMEM: "the machine has no memory left",
}

_ROOM, _ACCESS = "make room and call again", "make it writable and call again"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "let the process write larger files (`ulimit -f`) and call again",
    errno.EROFS: _ACCESS,
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.ENOMEM: "lower run.memory, or allow the process more memory, and call again",
}


@contextlib.contextmanager
def during(step: str) -> Iterator[None]:
    """Translate what the operating system says while ``step`` runs."""
    try:
        yield
    except OSError as error:
        reason = _DISK.get(error.errno or 0, error.strerror or type(error).__name__)
        place = str(error.filename) if error.filename else ""
        remedy = _REMEDIES.get(error.errno or 0, "call again")
        raise Stopped(
            f"{step} stopped: {reason}. Nothing half-written counts; {remedy}.", where=place
        ) from error


_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def is_closed(error: P2cError) -> bool:
    """Whether we were stopped because a place may only be read."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in _CLOSED


_REFUSED = {
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.ELOOP: "its links form a circle",
    errno.EINVAL: "it points to places that it does not have, so it was cut or altered",
    errno.ENAMETOOLONG: "its name is too long",
}


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Translate what the operating system says while the source file ``name`` is read.

    Raises:
        SourceError: the file is not there, or we may not read it; calling again would not help.
        Stopped: the disk or the network failed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _REFUSED:
            raise SourceError(f"cannot be read: {_REFUSED[error.errno]}.", where=name) from error
        reason = error.strerror or type(error).__name__
        raise Stopped(
            f"reading it stopped: {reason}. Run the same command again to continue.", where=name
        ) from error
