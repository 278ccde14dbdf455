"""Every failure of the wire is a sentence that names the system, says what, and what now.

None reveals a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx
import pytest

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
from pipeline.wire import failures
from pipeline.wire.redact import redact_secrets

SYSTEM = "Sales (contoso.crm4.dynamics.com)"
CLIENT = httpx.Client(timeout=7)
SIGNED = "https://acct.blob.core.windows.net/dmf/p.zip?sv=2025&sig=abc%2Fdef123"


def walk_kinds(base: type[BaseException]) -> Iterator[type[BaseException]]:
    yield base
    for kind in base.__subclasses__():
        yield from walk_kinds(kind)


KINDS = sorted(
    {
        kind
        for base in (
            httpx.TransportError,
            httpx.DecodingError,
            httpx.TooManyRedirects,
            httpx.InvalidURL,
            httpx.CookieConflict,
        )
        for kind in walk_kinds(base)
        if kind.__module__ == "httpx"
    },
    key=lambda kind: kind.__name__,
)


def build_answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str):
        return httpx.Response(status, headers=names, text=body)
    return httpx.Response(status, headers=names, json=body)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_httpx_failure_has_a_translation(kind: type[Exception]) -> None:
    failure = failures.translate_exception(kind(f"while asking {SIGNED}"), SYSTEM, CLIENT)
    assert failure.exit_code == 3
    assert str(failure).startswith(f"{SYSTEM}: ")
    assert ("failed on the way" in str(failure)) == (kind is httpx.TransportError)
    assert "sig=" not in str(failure)
    assert str(failure).endswith(".")


def build_connect_error(cause: Exception) -> httpx.ConnectError:
    error = httpx.ConnectError("no")
    error.__cause__ = OSError("between")
    error.__cause__.__context__ = cause
    return error


def build_verification_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate in certificate chain"
    return error


@pytest.mark.parametrize(
    ("cause", "words", "again"),
    [
        (
            build_verification_error(),
            "a certificate that does not verify: self-signed certificate in certificate chain",
            False,
        ),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "could not agree on a TLS connection", True),
        (socket.gaierror(socket.EAI_NONAME, "x"), "its name has no address", False),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "its name has no address", True),
        (ConnectionRefusedError(111, "x"), "nothing listens at this address", True),
        (OSError(113, "x"), "cannot be reached", True),
    ],
)
def test_a_connection_that_fails_says_why(cause: Exception, words: str, *, again: bool) -> None:
    failure = failures.translate_exception(build_connect_error(cause), SYSTEM, CLIENT)
    assert isinstance(failure, Unreachable)
    assert words in failure.message
    assert failure.again is again


def test_a_time_out_says_how_long_it_was() -> None:
    assert (
        "within 7 s" in failures.translate_exception(httpx.ReadTimeout("x"), SYSTEM, CLIENT).message
    )


DATAVERSE = {
    "error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000."}
}


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (
            build_answer(429, DATAVERSE, Retry_After="17"),
            Throttled,
            "exceeded the limit of 6000 (HTTP 429)",
        ),
        (
            build_answer(401, ""),
            LoginFailed,
            "does not accept our login (HTTP 401). Check tenant and url",
        ),
        (
            build_answer(
                403,
                {
                    "error": {
                        "code": "0x80040220",
                        "message": "Principal user (Id=1) is missing prvReadContact privilege.",
                    }
                },
            ),
            AccessDenied,
            (
                "is missing prvReadContact privilege (HTTP 403). Give the application user a "
                "security role"
            ),
        ),
        (
            build_answer(
                403,
                {
                    "error": {
                        "code": "0x80072560",
                        "message": "The user is not a member of the organization.",
                    }
                },
            ),
            AccessDenied,
            "make the app registration an application user",
        ),
        (
            build_answer(
                403,
                {
                    "error": {
                        "code": "IpAddressBlocked",
                        "message": "Access to the environment is blocked for this IP address.",
                    }
                },
            ),
            AccessDenied,
            "this IP address (HTTP 403). Let this machine's address into its firewall",
        ),
        (
            build_answer(403, {"error": {"code": "", "message": "Blocked by the IP firewall."}}),
            AccessDenied,
            "does not let us in from here: Blocked by the IP firewall (HTTP 403). Let this",
        ),
        (
            build_answer(403, {"error": {"code": "", "message": "Conditional Access says no."}}),
            AccessDenied,
            "does not let us in from here: Conditional Access says no (HTTP 403). Let this",
        ),
        (
            build_answer(502, "<html><body>Bad Gateway</body></html>", Content_Type="text/html"),
            ServerFailed,
            "answered with a web page",
        ),
        (
            build_answer(403, "<!DOCTYPE html><p>blocked", Content_Type="text/html"),
            AnswerUnreadable,
            "Check url, proxy and network",
        ),
        (
            build_answer(404, "  <HTML>no", Content_Type="text/plain"),
            AnswerUnreadable,
            "web page (HTTP 404)",
        ),
        (
            build_answer(302, "", Location="https://login.example.com/x?ticket=1"),
            AnswerUnreadable,
            "redirects us to login.example.com instead",
        ),
        (
            build_answer(503, {"error": {"code": "", "message": "down"}}),
            ServerFailed,
            "failed: down (HTTP 503)",
        ),
        (build_answer(500, "no json"), ServerFailed, "failed (HTTP 500)"),
        *((build_answer(one, ""), ServerFailed, f"failed (HTTP {one})") for one in (499, 524, 599)),
        (build_answer(501, ""), RequestRefused, "refused (HTTP 501)"),
        (build_answer(600, ""), AnswerUnreadable, "HTTP 600, which says nothing that p2c"),
        (
            build_answer(400, {"error": {"code": "-2147204270", "message": "expired"}}),
            RequestRefused,
            "refused: expired (HTTP 400)",
        ),
        (
            build_answer(
                400,
                {
                    "error": {
                        "message": "An error has occurred.",
                        "innererror": {"message": "Write failed"},
                    }
                },
            ),
            RequestRefused,
            "refused: Write failed",
        ),
    ],
)
def test_each_refusal_has_its_own_sentence(
    response: httpx.Response, kind: type[SystemStopped], words: str
) -> None:
    failure = failures.translate_answer(response, SYSTEM)
    assert type(failure) is kind
    assert words in failure.message
    assert failure.exit_code == (2 if kind in {LoginFailed, AccessDenied} else 3)
    assert "ticket" not in str(failure)


def test_codes_of_both_spellings_are_one() -> None:
    response = build_answer(400, {"error": {"code": "-2147204270", "message": "x"}})
    assert failures.translate_answer(response, SYSTEM).refusal.code == "0x80044352"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "2.5"}, 2.5),
        (
            {
                "Retry-After": "Mon, 01 Jan 2029 00:00:30 GMT",
                "Date": "Mon, 01 Jan 2029 00:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "Retry-After": "Mon, 01 Jan 2029 00:00:00 GMT",
                "Date": "Mon, 01 Jan 2029 00:00:30 GMT",
            },
            0.0,
        ),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert failures.read_retry_after(httpx.Headers(headers)) == seconds


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (build_answer(200, "<html>sign in</html>"), "a web page"),
        (build_answer(200, ""), "with nothing"),
        (build_answer(200, '{"value":['), "incomplete JSON"),
    ],
)
def test_an_answer_that_nobody_can_read_says_so(response: httpx.Response, words: str) -> None:
    failure = failures.translate_unreadable(response, SYSTEM, "contacts")
    assert words in failure.message
    assert failure.again


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (
            f"upload to {SIGNED} failed",
            "upload to https://acct.blob.core.windows.net/dmf/p.zip?… failed",
        ),
        ("Authorization: Bearer eyJ0eXAi.abc-def", "Authorization: Bearer …"),
        ("client_secret=Q~8abcdefgh&x=1", "client_secret=…&x=1"),
        ("https://me:pass@host/x", "https://host/x"),
        ("two\r\nlines", "two lines"),
        ("y" * 500, "y" * 400 + "…"),
    ],
)
def test_secrets_are_cut_out_of_text(text: str, clean: str) -> None:
    assert redact_secrets(text) == clean
