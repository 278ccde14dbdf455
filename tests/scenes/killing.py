"""A process that is killed at any effect on the disk, as far as one process can show it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

_EFFECTS = ("unlink", "replace", "rename", "rmdir", "fsync")


class Killed(BaseException):
    """The process is gone: no code catches it and continues."""


@contextmanager
def killing(at: int) -> Iterator[list[str]]:
    """Kills at the effect of that number, from 1; what had been done before. 0: never.

    A process that is gone has no more effects, so what cleans up afterwards does nothing.
    """
    done: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in _EFFECTS:
            patch.setattr(os, name, _wrap(name, getattr(os, name), done, at))
        yield done


def _wrap(name: str, effect: Callable[..., Any], done: list[str], at: int) -> Callable[..., Any]:
    def act(*given: Any, **more: Any) -> Any:
        if at and len(done) >= at - 1:
            raise Killed
        done.append(f"{name} {given[0]}")
        return effect(*given, **more)

    return act


def kill_everywhere(work: Callable[[], object], *, every: int = 1) -> Iterator[int]:
    """Kill ``work`` at one effect after the other; the number of each, from 1.

    The caller puts things back before the next one. ``every``: leaves out the effects between;
    ``make torture`` leaves out none.
    """
    at = 1 - every
    while True:
        at += every
        with killing(at), suppress(Killed):
            work()
            return
        yield at
