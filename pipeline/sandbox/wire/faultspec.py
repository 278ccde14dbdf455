"""``--faults SPEC``: which faults, how often or at which requests, for which system.

Items are parted by commas: ``throttle=0.02`` (two of a hundred requests), ``cut@5`` (the fifth),
``lost@3+8`` (two of them), ``slow=0.1:2.5`` (with a value), ``scm.error=0.01:503`` (one system),
``away@9:600`` (from the ninth request on, for ten minutes), and settings: ``seed=7``, ``token=60``
(seconds that tokens live), ``dop=2`` (Sales' hint on parallelism), ``limits=6000:300`` (service
protection enforced: requests, seconds).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from pipeline.errors import UsageError, list_problems

System: TypeAlias = Literal["sales", "scm", "login"]


class FaultKind(StrEnum):
    """What can go wrong.

    The value of an item: seconds for throttle, busy and slow, a status for error, a share for cut.
    The last three are spells: what begins with one request befalls all others for that many
    seconds.
    """

    THROTTLE = "throttle"
    BUSY = "busy"
    ERROR = "error"
    HTML = "html"
    RESET = "reset"
    SLOW = "slow"
    CUT = "cut"
    LOST = "lost"
    AWAY = "away"
    QUOTA = "quota"
    CLOSED = "closed"


USUAL_VALUES: Final = {
    FaultKind.THROTTLE: 1.0,
    FaultKind.BUSY: 1.0,
    FaultKind.SLOW: 1.0,
    FaultKind.CUT: 0.5,
    FaultKind.AWAY: 60.0,
    FaultKind.QUOTA: 60.0,
    FaultKind.CLOSED: 60.0,
}
SPELLS: Final = frozenset({FaultKind.AWAY, FaultKind.QUOTA, FaultKind.CLOSED})

_ITEM: Final = re.compile(
    r"(?:(sales|scm|login)\.)?([a-z]+)(?:=([0-9.]+)|@([0-9+]+))(?::([0-9.]+))?"
)
_SETTINGS: Final = frozenset({"seed", "token", "dop", "limits"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One item. ``system`` is null for both systems, but not the login."""

    kind: FaultKind
    system: System | None = None
    rate: float = 0.0
    at: frozenset[int] = frozenset()
    value: float | None = None

    def concerns(self, system: System) -> bool:
        """Whether it can happen there."""
        return system == self.system or (self.system is None and system != "login")


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """A whole specification. ``limits``: requests and seconds of the window that are enforced."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    token: int = 3599
    dop: int = 4
    limits: tuple[int, float] | None = None

    def of(self, system: System, number: int) -> Fault | None:
        """What befalls the n-th request (from 1) of a system; the same for the same seed."""
        for fault in self.faults:
            if not fault.concerns(system):
                continue
            if (
                number in fault.at
                or _draw(f"{self.seed}/{system}/{fault.kind}/{number}") < fault.rate
            ):
                return fault
        return None


NONE: Final = Faults()
"""Nothing goes wrong."""


@dataclass(kw_only=True, slots=True)
class _Reader:
    faults: list[Fault] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=dict)
    limits: tuple[int, float] | None = None
    problems: list[str] = field(default_factory=list)

    def read(self, text: str) -> None:
        match = _ITEM.fullmatch(text)
        if match is None:
            self.problems.append(
                f"'{text}' is not a fault; write as in throttle=0.02, cut@5 or seed=7."
            )
            return
        system, name, rate, at, value = match.groups()
        if name in _SETTINGS:
            self._set(text, name, rate, value)
        elif name not in {kind.value for kind in FaultKind}:
            known = ", ".join(kind.value for kind in FaultKind)
            self.problems.append(f"'{name}' is not a fault; there are {known}.")
        elif rate is not None and not _number(rate) <= 1:
            self.problems.append(f"'{text}': a rate is between 0 and 1.")
        else:
            numbers = frozenset(int(number) for number in (at or "").split("+") if number)
            given = None if value is None else _number(value)
            self.faults.append(
                Fault(
                    kind=FaultKind(name),
                    system=_system(system),
                    rate=_number(rate or "0"),
                    at=numbers,
                    value=given,
                )
            )

    def _set(self, text: str, name: str, given: str | None, value: str | None) -> None:
        if given is None or not given.isdigit():
            self.problems.append(f"'{text}': {name} takes a whole number.")
        elif name == "limits":
            self.limits = (int(given), _number(value or "300"))
        else:
            self.settings[name] = int(given)


def parse_faults(spec: str) -> Faults:
    """What a specification means; blank means nothing. Raises ``UsageError`` with all problems."""
    reader = _Reader()
    for text in spec.split(","):
        if text.strip():
            reader.read(text.strip())
    if reader.problems:
        raise UsageError(list_problems(reader.problems), where="--faults")
    return Faults(faults=tuple(reader.faults), limits=reader.limits, **reader.settings)


def _draw(text: str) -> float:
    """A number from 0 to 1, the same for the same text in every version and on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _system(text: str | None) -> System | None:
    match text:
        case "sales" | "scm" | "login":
            return text
        case _:
            return None
