"""The one seam where failures of the wire become sentences: httpx exceptions, refusals, answers that are no answers.

A message names the system, what went wrong and what to do; never a query string, a token or a body.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from pipeline.errors import (
    AccessDenied,
    AnswerUnreadable,
    LoginFailed,
    RequestRefused,
    ServerFailed,
    SystemStopped,
    Throttled,
    Unreachable,
)
from pipeline.wire.redact import without_secrets

GOES_ON: Final = "The same command goes on."
_TRANSIENT: Final = frozenset({408, 425, 500, 502, 503, 504})
_NOT_A_MEMBER: Final = "0x80072560"

_BROKEN: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpx.ConnectTimeout, "does not answer: no connection within {seconds} s"),
    (httpx.ReadTimeout, "does not answer within {seconds} s"),
    (httpx.WriteTimeout, "takes nothing more: a request could not be sent within {seconds} s"),
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
    (httpx.InvalidURL, "has an address that is none. Check its url"),
    (httpx.TooManyRedirects, "sends us in a circle. Check its url"),
    (httpx.CookieConflict, "sets cookies that contradict each other"),
)
"""From the particular to the general: the first that fits is told."""


def translated(error: Exception, system: str, client: httpx.Client) -> SystemStopped:
    """What an httpx exception means.

    Args:
        error: raised by httpx while a request was under way.
        system: whom messages name, as in ``Sales (contoso.crm4.dynamics.com)``.
        client: knows the time-outs.
    """
    if isinstance(error, httpx.DecodingError):
        return AnswerUnreadable(
            f"answered with something that cannot be unpacked. {GOES_ON}", where=system, again=True
        )
    if isinstance(error, httpx.ConnectError):
        return _unconnected(error, system)
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
    told = sentence.format(seconds=_seconds(error, client))
    return Unreachable(f"{told}. {GOES_ON}", where=system, again=again)


def _seconds(error: Exception, client: httpx.Client) -> str:
    limit = client.timeout
    match error:
        case httpx.ConnectTimeout():
            value = limit.connect
        case httpx.WriteTimeout():
            value = limit.write
        case _:
            value = limit.read
    return "the time-out of unlimited" if value is None else f"{value:g}"


def _unconnected(error: httpx.ConnectError, system: str) -> Unreachable:
    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message or "it is not trusted"
            told = (
                f"shows a certificate that does not verify: {reason}. If your network or the "
                "sandbox has a CA of its own, name "
                "its file in auth.ca_file; p2c never goes on unverified."
            )
            return Unreachable(told, where=system)
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "reason", None) or "the handshake failed"
            return Unreachable(
                f"agrees on no TLS connection: {reason}. Check url and proxy.",
                where=system,
                again=True,
            )
        if isinstance(cause, socket.gaierror):
            told = (
                "cannot be found: no address is known for its name. Check url and network. "
                f"{GOES_ON}"
            )
            return Unreachable(told, where=system, again=cause.errno == socket.EAI_AGAIN)
    refused = any(isinstance(cause, ConnectionRefusedError) for cause in chain)
    told = (
        "is not there: nothing listens at this address. Check its url"
        if refused
        else "cannot be reached"
    )
    return Unreachable(f"{told}. {GOES_ON}", where=system, again=True)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def refusal(response: httpx.Response, system: str) -> SystemStopped:
    """What an answer other than 2xx means; its body has been read."""
    status = response.status_code
    if response.is_redirect:
        host = httpx.URL(response.headers.get("Location", "")).host or "another page"
        return AnswerUnreadable(
            f"sends us to {host} instead of an answer (HTTP {status}). Check its url.", where=system
        )
    if is_html(response) and status not in {
        httpx.codes.UNAUTHORIZED,
        httpx.codes.TOO_MANY_REQUESTS,
    }:
        return _from_gateway(response, system)
    code, message = error_of(response)
    told = f": {message.rstrip('. ')}" if message else ""
    return _refused(status, code, told, retry_after(response.headers), system)


def _refused(status: int, code: str, told: str, wait: float | None, system: str) -> SystemStopped:
    match status:
        case 429:
            return Throttled(
                f"asks to wait{told} (HTTP 429). {GOES_ON}",
                where=system,
                again=True,
                wait=wait,
                status=status,
                detail=code,
            )
        case 401:
            return LoginFailed(_unauthorized(told), where=system, status=status, detail=code)
        case 403:
            return AccessDenied(_forbidden(code, told), where=system, status=status, detail=code)
        case _ if status in _TRANSIENT:
            sentence = f"failed{told} (HTTP {status}). {GOES_ON}"
            return ServerFailed(
                sentence, where=system, again=True, wait=wait, status=status, detail=code
            )
        case _:
            return RequestRefused(
                f"refused{told} (HTTP {status}).", where=system, status=status, detail=code
            )


def _unauthorized(told: str) -> str:
    return (
        f"does not accept our login{told} (HTTP 401). Check tenant and url, and that the app "
        "registration is an application "
        "user of this environment."
    )


def _forbidden(code: str, told: str) -> str:
    if code.lower() == _NOT_A_MEMBER:
        return (
            f"does not know the caller{told} (HTTP 403). Check the tenant, and make the app "
            "registration an application user "
            "of this environment."
        )
    return (
        f"does not allow this{told} (HTTP 403). Give the application user a security role with "
        "this privilege."
    )


def _from_gateway(response: httpx.Response, system: str) -> SystemStopped:
    status = response.status_code
    told = f"is hidden by a gateway or proxy, which answered with a web page (HTTP {status})"
    if status in _TRANSIENT:
        return ServerFailed(
            f"{told}. {GOES_ON}",
            where=system,
            again=True,
            wait=retry_after(response.headers),
            status=status,
        )
    return AnswerUnreadable(f"{told}. Check url, proxy and network.", where=system, status=status)


def unreadable(response: httpx.Response, system: str, what: str) -> AnswerUnreadable:
    """An answer 2xx that is not what it should be: a web page, cut short, no JSON."""
    if is_html(response):
        told = (
            f"is hidden by a gateway or proxy, which answered {what} with a web page. Check url, "
            f"proxy and network. {GOES_ON}"
        )
    elif not response.content:
        told = f"answered {what} with nothing. {GOES_ON}"
    else:
        told = f"answered {what} with JSON that is not whole. {GOES_ON}"
    return AnswerUnreadable(told, where=system, again=True, status=response.status_code)


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


def error_of(response: httpx.Response) -> tuple[str, str]:
    """The system's own code and message, without secrets; blank for what is no error body."""
    try:
        error = json.loads(response.content.removeprefix(b"\xef\xbb\xbf"))["error"]
        if isinstance(error, str):
            return error, without_secrets(
                str(json.loads(response.content).get("error_description", ""))
            )
        return _code(error.get("code")), without_secrets(
            str(_inner(error) or error.get("message") or "")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _inner(error: dict[str, Any]) -> str:
    inner = error.get("innererror")
    return str(inner.get("message") or "") if isinstance(inner, dict) else ""


def _code(code: object) -> str:
    """An HRESULT as ``0x…``, however it is written."""
    text = str(code or "")
    return (
        f"0x{int(text) & 0xFFFFFFFF:08x}"
        if text.lstrip("-").isdigit() and text.startswith("-")
        else text
    )


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that ``Retry-After`` asks for, as a number or as a date beside the answer's own.

    Null if it is not there.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("Date", text))
    except ValueError:
        return None
    return max(0.0, (until - now).total_seconds())
