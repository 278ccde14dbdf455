"""The one seam where failures of the wire become sentences.

They come as httpx exceptions, as refusals, and as answers that nobody can read. A message names
the system, what went wrong and what to do; never a query string, a token or a body.
"""

from __future__ import annotations

import math
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import httpx

from pipeline.errors import (
    NO_REFUSAL,
    AccessDenied,
    AnswerUnreadable,
    LoginFailed,
    Refusal,
    RequestRefused,
    ServerFailed,
    SystemStopped,
    Throttled,
    Unreachable,
)
from pipeline.wire.json_body import MalformedError
from pipeline.wire.login.auth import REFUSED
from pipeline.wire.redact import redact_secrets
from pipeline.wire.refusal import read_refusal

_Kind = TypeVar("_Kind", bound=SystemStopped)

CONTINUE: Final = "Run the same command again to continue."
_TRANSIENT: Final = frozenset({408, 425, 444, 449, 499, *range(500, 600)} - {501})
"""Statuses of a system, or of whoever stands before it, that fails. That what was asked does not
exist there (501) is a refusal."""
_CLEAR: Final = frozenset({401, 413, 429})
"""Statuses that say what is wrong, even with a web page."""
_STATUSES: Final = range(100, 600)
_NOT_A_MEMBER: Final = "0x80072560"

_OF_NETWORK: Final = re.compile(r"(?i)\bip ?address|ipaddress|\bip firewall|conditional access")
"""What a refusal says if it is about where we call from, and not about rights."""

_BROKEN: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpx.ConnectTimeout, "does not answer: no connection within {seconds} s"),
    (httpx.ReadTimeout, "does not answer within {seconds} s"),
    (httpx.WriteTimeout, "stopped receiving: a request could not be sent within {seconds} s"),
    (httpx.PoolTimeout, "keeps all connections busy"),
    (httpx.TimeoutException, "does not answer in time"),
    (
        httpx.ProxyError,
        "is behind a proxy that refuses. Check the variables HTTPS_PROXY and NO_PROXY",
    ),
    (httpx.RemoteProtocolError, "cut its answer short"),
    (httpx.LocalProtocolError, "cannot be sent this request: it breaks the rules of HTTP"),
    (httpx.ProtocolError, "breaks the rules of HTTP"),
    (httpx.NetworkError, "broke the connection off"),
    (httpx.UnsupportedProtocol, "has an address that is neither http nor https. Check its url"),
    (httpx.InvalidURL, "has an address that is not valid. Check its url"),
    (httpx.TooManyRedirects, "redirects us in a circle. Check its url"),
    (httpx.CookieConflict, "sets cookies that contradict each other"),
)
"""From the particular to the general: the first that fits is used."""


def translate_exception(error: Exception, system: str, client: httpx.Client) -> SystemStopped:
    """What an httpx exception means.

    Args:
        error: raised by httpx while a request was under way.
        system: the name for messages, as in ``Sales (contoso.crm4.dynamics.com)``.
        client: knows the time-outs.
    """
    if isinstance(error, httpx.DecodingError):
        return _go_on(AnswerUnreadable, "answered with something that cannot be unpacked", system)
    if isinstance(error, httpx.ConnectError):
        return _translate_connect_error(error, system)
    sentence = next(
        (text for kind, text in _BROKEN if isinstance(error, kind)), "failed on the way"
    )
    again = not isinstance(
        error,
        httpx.LocalProtocolError
        | httpx.UnsupportedProtocol
        | httpx.InvalidURL
        | httpx.TooManyRedirects,
    )
    message = sentence.format(seconds=_format_limit(error, client))
    return _go_on(Unreachable, message, system, again=again)


def _go_on(
    kind: type[_Kind],
    event: str,
    system: str,
    *,
    again: bool = True,
    wait: float | None = None,
    said: Refusal = NO_REFUSAL,
) -> _Kind:
    """A failure after which the same command goes on."""
    message = f"{event}. {CONTINUE}"
    return kind(message, where=system, again=again, wait=wait, refusal=said, event=event)


def _format_limit(error: Exception, client: httpx.Client) -> str:
    limit = client.timeout
    match error:
        case httpx.ConnectTimeout():
            value = limit.connect
        case httpx.WriteTimeout():
            value = limit.write
        case _:
            value = limit.read
    return "the time-out of unlimited" if value is None else f"{value:g}"


def _translate_connect_error(error: httpx.ConnectError, system: str) -> Unreachable:
    chain = list(walk_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return distrust(system, cause.verify_message or "it is not trusted")
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "reason", None) or "the handshake failed"
            return Unreachable(
                f"could not agree on a TLS connection: {reason}. Check url and proxy.",
                where=system,
                again=True,
            )
        if isinstance(cause, socket.gaierror):
            return Unreachable(
                f"cannot be found: its name has no address. Check url and network. {CONTINUE}",
                where=system,
                again=cause.errno == socket.EAI_AGAIN,
            )
    refused = any(isinstance(cause, ConnectionRefusedError) for cause in chain)
    message = (
        "is not there: nothing listens at this address. Check its url"
        if refused
        else "cannot be reached"
    )
    return _go_on(Unreachable, message, system)


def distrust(system: str, reason: str = "") -> Unreachable:
    """A system shows a certificate that we do not trust; asking again would not help."""
    return Unreachable(
        f"shows a certificate that does not verify{f': {reason}' if reason else ''}. If your "
        "network or the sandbox has a CA of its own, name its file in auth.ca_file; p2c never "
        "continues unverified.",
        where=system,
    )


def walk_causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def translate_answer(response: httpx.Response, system: str) -> SystemStopped:
    """What an answer other than 2xx means; its body has been read."""
    status = response.status_code
    said = read_refusal(status, response.content)
    if status not in _STATUSES:
        return refuse_status(status, system)
    if response.is_redirect:
        host = _read_host(response.headers.get("Location", "")) or "another page"
        event = f"redirects us to {host} instead of answering (HTTP {status})"
        return AnswerUnreadable(f"{event}. Check its url.", where=system, event=event)
    wait = read_retry_after(response.headers)
    if is_html(response) and status not in _CLEAR:
        return _blame_gateway(said, wait, system)
    if status == httpx.codes.UNAUTHORIZED:
        return _translate_unauthorized(response, said, system)
    return _translate_refusal(said, wait, system)


def _translate_unauthorized(response: httpx.Response, said: Refusal, system: str) -> LoginFailed:
    advice = (
        "Check tenant and url, and that the app registration is an application user of this "
        "environment."
    )
    with suppress(RuntimeError):  # An answer that a test made has no request.
        advice = response.request.extensions.get(REFUSED, advice)
    sentence = describe_refusal("does not accept our login", said)
    return LoginFailed(f"{sentence}. {advice}", where=system, refusal=said)


def _read_host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):
        return ""


def _translate_refusal(said: Refusal, wait: float | None, system: str) -> SystemStopped:
    match said.status:
        case 429:
            event = describe_refusal("asks us to wait", said)
            return _go_on(Throttled, event, system, wait=wait, said=said)
        case 403:
            return AccessDenied(_explain_forbidden(said), where=system, refusal=said)
        case status if status in _TRANSIENT:
            event = describe_refusal("failed", said)
            return _go_on(ServerFailed, event, system, wait=wait, said=said)
        case _:
            return RequestRefused(
                f"{describe_refusal('refused', said)}.", where=system, refusal=said
            )


def describe_refusal(verb: str, said: Refusal) -> str:
    """A verb with what a system said: ``refused: there is no such row (HTTP 404)``."""
    reason = redact_secrets(said.cause).rstrip(". ")
    return f"{verb}{f': {reason}' if reason else ''} (HTTP {said.status})"


def _explain_forbidden(said: Refusal) -> str:
    if said.code.lower() == _NOT_A_MEMBER:
        return (
            f"{describe_refusal('does not know the caller', said)}. Check the tenant, and make "
            "the app registration an application user of this environment."
        )
    if _OF_NETWORK.search(f"{said.code} {said.cause}"):
        return (
            f"{describe_refusal('does not let us in from here', said)}. Let this machine's address "
            "into its firewall or conditional access, or run p2c where it is allowed."
        )
    return (
        f"{describe_refusal('does not allow this', said)}. Give the application user a security "
        "role with this privilege."
    )


def _blame_gateway(said: Refusal, wait: float | None, system: str) -> SystemStopped:
    event = f"is hidden by a gateway or proxy, which answered with a web page (HTTP {said.status})"
    if said.status in _TRANSIENT:
        return _go_on(ServerFailed, event, system, wait=wait, said=said)
    message = f"{event}. Check url, proxy and network."
    return AnswerUnreadable(message, where=system, refusal=said, event=event)


def refuse_status(status: int, system: str, what: str = "us") -> AnswerUnreadable:
    """A status that does not say whether what was asked was done, or done whole."""
    event = f"answered {what} with HTTP {status}, which says nothing that p2c understands"
    return _go_on(AnswerUnreadable, event, system, said=Refusal(status=status))


def refuse_size(error: MalformedError, system: str) -> AnswerUnreadable:
    """An answer larger than p2c reads; asking again would not help."""
    event = f"answered with {error}, which p2c does not read"
    message = f"{event}. Check url, proxy and network."
    return AnswerUnreadable(message, where=system, event=event)


def translate_unreadable(
    response: httpx.Response, system: str, what: str, error: Exception | None = None
) -> AnswerUnreadable:
    """A 2xx answer that is not what it should be: a web page, cut short, not JSON.

    ``error`` is what reading it raised.
    """
    said = Refusal(status=response.status_code)
    if is_html(response):
        event = f"is hidden by a gateway or proxy, which answered {what} with a web page"
        message = f"{event}. Check url, proxy and network. {CONTINUE}"
        return AnswerUnreadable(message, where=system, again=True, refusal=said, event=event)
    if not response.content:
        event = f"answered {what} with nothing"
    elif isinstance(error, MalformedError):
        event = f"answered {what} with {error}"
    else:
        event = f"answered {what} with incomplete JSON"
    return _go_on(AnswerUnreadable, event, system, said=said)


def is_html(response: httpx.Response) -> bool:
    """Whether an answer is a web page."""
    if "html" in response.headers.get("Content-Type", "").lower():
        return True
    return (
        response.content[:200]
        .lstrip(b"\xef\xbb\xbf \t\r\n")
        .lower()
        .startswith((b"<!doctype html", b"<html"))
    )


def read_retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that ``Retry-After`` asks for, as a number or as a date after the answer's own.

    Null if it is missing, or says nothing that can be waited for.
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _read_seconds_until(text, headers.get("Date", ""))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def refuse_wait(error: SystemStopped, most: float) -> SystemStopped:
    """A system that asks us to wait longer than ``most`` seconds."""
    message = (
        f"{describe_refusal('asks us to wait', error.refusal)}: {error.wait:,.0f} s, and "
        f"run.wait_system allows {most:,.0f} s. {CONTINUE}"
    )
    return type(error)(
        message, where=error.where, again=error.again, wait=error.wait, refusal=error.refusal
    )


def _read_seconds_until(date: str, now: str) -> float:
    """Seconds from one date to another as headers write them; no number if either is none."""
    try:
        until, since = parsedate_to_datetime(date), parsedate_to_datetime(now)
        return (until - since).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.nan
