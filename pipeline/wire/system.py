"""One system on the wire: requests with one pace, one retry policy and one meter.

Its failures are sentences.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import httpx

from pipeline.errors import SystemStopped, Throttled
from pipeline.wire import body, failures
from pipeline.wire.json_body import MalformedError
from pipeline.wire.meter import Meter, Traffic
from pipeline.wire.once import Busy, LostAnswer, SentOnce
from pipeline.wire.pace import Pace
from pipeline.wire.retry import RetryPolicy, draw_jitter

T = TypeVar("T")

UNREADABLE: Final = (
    ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError,
)  # fmt: skip
"""What reading an answer raises if it is not what it should be."""

_WHOLE: Final = frozenset({200, 201, 203, 204})
"""Statuses of answers that are whole; others of 2xx are for what p2c never asks: parts, or work
that goes on."""
_HINT: Final = re.compile("[0-9]{1,6}")


def make_system(
    name: str,
    client: httpx.Client,
    *,
    parallel: int,
    longest_wait: float,
    tell: Callable[[str], None],
) -> System:
    """A system as settings describe it.

    Args:
        name: what messages call it.
        client: knows where it is and who we are.
        parallel: the most requests at once.
        longest_wait: in seconds, for all attempts of one request.
        tell: hears, once a minute, how long the system asks us to wait.
    """

    def say(left: float) -> None:
        tell(f"{system.label} asks p2c to wait: {left:,.0f} s left")

    pace, policy = Pace(ceiling=parallel, tell=say), RetryPolicy(seconds=longest_wait)
    system = System(name=name, client=client, policy=policy, pace=pace)
    return system


@dataclass(kw_only=True)
class System:
    """A system; many threads may ask it at once.

    ``name`` is what messages call it (``Sales``, ``SCM``). ``clock`` counts seconds. Tests pass in
    a pace with a sleep of their own and a ``chance`` that is fixed.
    """

    name: str
    client: httpx.Client
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    pace: Pace = field(default_factory=Pace)
    meter: Meter = field(default_factory=Meter)
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = draw_jitter
    was_there: bool = False
    """Whether it has ever answered."""
    largest: int = body.LARGEST
    """Bytes that an answer may have, unpacked."""

    @property
    def label(self) -> str:
        """The name for messages: the system and its host."""
        url = self.client.base_url
        return f"{self.name} ({url.host}{f':{url.port}' if url.port else ''})"

    def ask(
        self,
        method: str,
        url: str | httpx.URL,
        read: Callable[[httpx.Response], T],
        *,
        subject: str = "",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        policy: RetryPolicy | None = None,
    ) -> T:
        """Ask something that may be asked again, until there is an answer that ``read`` can read.

        Args:
            method: ``GET``, or what has the same effect when repeated.
            url: relative to the system's address, or a link of its own.
            read: makes a value of a 2xx answer; raises ``ValueError``, ``TypeError`` or
                ``KeyError`` if the answer is incomplete.
            subject: what requests and bytes are counted under.
            headers: in addition to the client's own.
            content: the body.
            policy: how often and how long; the system's own by default.

        Raises:
            SystemStopped: the last failure, when asking again would not help or was tried often
                enough.
        """
        failed, begun = 0, self.clock()
        while True:
            try:
                return self.once(
                    method, url, read, subject=subject, headers=headers, content=content
                )
            except SystemStopped as error:
                failed += 1
                spent = self.clock() - begun
                wait = (policy or self.policy).wait(
                    error, failed, spent, was_there=self.was_there, chance=self.chance
                )
                self._count_failure(subject, error, wait)
                if wait is None and (error.wait or 0.0) > self.policy.seconds:
                    raise failures.refuse_wait(error, self.policy.seconds) from error
                if wait is None:
                    raise
            self.pace.wait(wait)

    def once(
        self,
        method: str,
        url: str | httpx.URL,
        read: Callable[[httpx.Response], T],
        *,
        subject: str = "",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> T:
        """Ask once.

        After a failure without a status, or an unreadable answer, nobody knows whether the request
        had its effect.
        """
        with self.pace.slot():
            response, size = self._send(method, url, headers, content)
        self.meter.add(subject, Traffic(requests=1, bytes=size))
        if not response.is_success:
            raise failures.translate_answer(response, self.label)
        self._learn(response)
        if response.status_code not in _WHOLE:
            raise failures.refuse_status(response.status_code, self.label, subject or "a request")
        try:
            return read(response)
        except UNREADABLE as error:
            raise failures.translate_unreadable(
                response, self.label, subject or "a request", error
            ) from error

    def send_once(
        self,
        method: str,
        url: str,
        read: Callable[[httpx.Response], T],
        *,
        subject: str,
        headers: Mapping[str, str],
        content: bytes,
    ) -> T:
        """Ask something that must not be asked twice, once.

        If the system asks for time, everybody who talks to it waits.

        Raises:
            LostAnswer: nobody knows whether it had its effect.
            Busy: it had no effect; a later one may.
            Declined: it had no effect, and never will.
            SystemStopped: it had no effect, and the run cannot continue.
        """
        try:
            with SentOnce():
                return self.once(
                    method, url, read, subject=subject, headers=headers, content=content
                )
        except Busy as busy:
            self.hold(subject, busy.seconds, throttled=busy.throttled)
            raise
        except LostAnswer as lost:
            if lost.seconds is not None:
                self.hold(subject, lost.seconds, throttled=False)
            raise

    def hold(self, subject: str, seconds: float, *, throttled: bool = True) -> None:
        """Let nobody send anything for so many seconds, as the system asked.

        Nobody waits longer than the policy does: whoever needs the system then stops.
        """
        is_worth_it = seconds <= self.policy.seconds
        waited = seconds if is_worth_it else 0.0
        self.meter.add(subject, Traffic(retries=is_worth_it, throttled=throttled, waited=waited))
        if is_worth_it:
            self.pace.slow_down(seconds)

    def _send(
        self,
        method: str,
        url: str | httpx.URL,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> tuple[httpx.Response, int]:
        try:
            with self.client.stream(method, url, headers=headers, content=content) as response:
                return body.read_body(response, self.largest)
        except MalformedError as error:
            raise failures.refuse_size(error, self.label) from error
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            httpx.CookieConflict,
            httpx.StreamError,
        ) as error:
            raise failures.translate_exception(error, self.label, self.client) from error

    def _learn(self, response: httpx.Response) -> None:
        self.was_there = True
        self.pace.answered()
        hint = response.headers.get("x-ms-dop-hint", "")
        if _HINT.fullmatch(hint):
            self.pace.hint(int(hint))

    def _count_failure(self, subject: str, error: SystemStopped, wait: float | None) -> None:
        throttled = isinstance(error, Throttled)
        self.meter.add(
            subject, Traffic(retries=wait is not None, throttled=throttled, waited=wait or 0.0)
        )
        if wait is not None and (throttled or error.wait is not None):
            self.pace.slow_down(wait)
