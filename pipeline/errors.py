"""Every error that stops p2c, grouped by what the run does next.

    P2cError
    ├── Refused                 exit 2   nothing was sent; change the input and call again
    │   ├── UsageError                   the command line asks for something that cannot be
    │   ├── ConfigurationError           p2c.toml, a setting or a template is wrong
    │   ├── SourceError                  a source cannot be read as a whole
    │   └── PlanRefused                  a plan is stale, altered or made for something else
    ├── Stopped                 exit 3   the world stopped us; the same command goes on
    │   └── SystemStopped                a system on the wire did not do what it was asked
    │       ├── Unreachable              no connection, or it broke off: name, address, proxy,
    certificate, time-out │       ├── LoginFailed              the login service or the system
    refuses who is calling │       ├── AccessDenied             the caller is known and may not do
    this │       ├── Throttled                the system asks to wait, longer or oftener than we do
    │       ├── ServerFailed             the system, or a gateway before it, fails │       ├──
    AnswerUnreadable         the answer is not what the protocol promises: HTML, cut, no JSON │
    └── RequestRefused           the request was understood and refused; nothing happened ├──
    InvariantBroken         exit 4   an equation does not balance: a defect of p2c, or an altered
    run folder └── Defect                  exit 4   an error of the program that nobody foresaw

Problems of single rows are not errors: they are findings (``schemas/codes.toml``).
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from typing import ClassVar


class P2cError(Exception):
    """An error that is a sentence.

    ``where`` names file, row, column or setting; ``code`` is stable for programs.
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
    """The command line asks for something that cannot be."""

    code = "usage"


class ConfigurationError(Refused):
    """``p2c.toml``, a setting or a template is wrong."""

    code = "configuration"


class SourceError(Refused):
    """A source cannot be read as a whole."""

    code = "source"


class PlanRefused(Refused):
    """A plan is stale, altered or made for something else."""

    code = "plan_refused"


class Stopped(P2cError):
    """A system, network, disk, another process or Ctrl-C stopped the run.

    The same command goes on.
    """

    exit_code = 3
    code = "stopped"


class SystemStopped(Stopped):
    """A system on the wire did not do what it was asked.

    ``again`` says whether the same request may go better later; ``wait`` are the seconds that the
    system asked for; ``status`` is the HTTP status if there was an answer; ``detail`` is the
    system's own code (``0x80044352``) or word.
    """

    code = "system_stopped"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        again: bool = False,
        wait: float | None = None,
        status: int | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message, where=where)
        self.again = again
        self.wait = wait
        self.status = status
        self.detail = detail


class Unreachable(SystemStopped):
    """There is no connection, or it broke off."""

    code = "unreachable"


class LoginFailed(SystemStopped):
    """The login service or the system refuses who is calling."""

    code = "login_failed"


class AccessDenied(SystemStopped):
    """The caller is known and may not do this."""

    code = "access_denied"


class Throttled(SystemStopped):
    """The system asks to wait, longer or oftener than we do."""

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


def listed(problems: Sequence[str]) -> str:
    """All problems of one kind as one message: the first one whole, then the others, one a line."""
    if len(problems) == 1:
        return problems[0]
    others = "".join(f"\n  {problem}" for problem in problems[1:])
    noun = "problem" if len(problems) == 2 else "problems"  # noqa: PLR2004
    return f"{problems[0]}\n{len(problems) - 1} further {noun}:{others}"


_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file grew over the size limit",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
}

_ROOM, _ACCESS = "make room and call again", "make it writable and call again"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: _ACCESS,
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
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


_REFUSED = {
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a step on the way is no folder",
    errno.ELOOP: "its links go round in a circle",
}


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Translate what the operating system says while the source file ``name`` is read.

    Raises:
        SourceError: the file is closed to us or not there; calling again would not help.
        Stopped: the disk or the network failed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _REFUSED:
            raise SourceError(f"cannot be read: {_REFUSED[error.errno]}.", where=name) from error
        reason = error.strerror or type(error).__name__
        raise Stopped(
            f"reading it stopped: {reason}. The same command goes on.", where=name
        ) from error
