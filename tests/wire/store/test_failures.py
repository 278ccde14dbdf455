"""What obstore raises becomes a sentence of ours, without a secret."""

from __future__ import annotations

import pytest
from obstore.exceptions import (
    BaseError,
    GenericError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from pipeline.errors import (
    AccessDenied,
    ConfigurationError,
    LoginFailed,
    P2cError,
    RequestRefused,
    ServerFailed,
    SourceError,
    Stopped,
    SystemStopped,
    Throttled,
    Unreachable,
)
from pipeline.wire.store.failures import translate_failures
from pipeline.wire.store.login import StoreLogin
from tests.scenes.stores import locate

AZURE, S3, GOOGLE = "abfss://exports@contoso.dfs.core.windows.net/sales", "s3://exports/sales", ""
HIDDEN = "sv=2020&sig=c2VjcmV0IGtleQ"


def answer(status: str, code: str = "") -> str:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code else ""
    return (
        f"Generic error: Error performing GET https://contoso/x?{HIDDEN} in 3ms - Server returned "
        f"non-2xx status code: {status}: {body}\n\nDebug source: {HIDDEN}"
    )


def translate(error: Exception, url: str = AZURE, login: StoreLogin | None = None) -> P2cError:
    location = locate(url)
    with (
        pytest.raises(P2cError, match=r"\.$") as caught,
        translate_failures(location, f"{location.url}/contacts.csv", login),
    ):
        raise error
    assert "sig" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (PreconditionError("x"), Stopped, "/sales/contacts.csv: changed while p2c was reading it"),
        (FileNotFoundError("x"), SourceError, "/sales/contacts.csv: cannot be read: there is no"),
        (
            FileNotFoundError(answer("404 Not Found", "ContainerNotFound")),
            SourceError,
            "core.windows.net: there is no such container",
        ),
        (GenericError(answer("404 Not Found")), SourceError, "there is no such container"),
        (UnauthenticatedError("x"), LoginFailed, "does not accept our login. Check [source.auth]"),
        (
            PermissionDeniedError(answer("403 Forbidden", "AuthenticationFailed")),
            LoginFailed,
            "does not accept our login (HTTP 403, AuthenticationFailed)",
        ),
        (
            PermissionDeniedError(answer("403 Forbidden", "AuthorizationPermissionMismatch")),
            AccessDenied,
            "(HTTP 403, AuthorizationPermissionMismatch). Give the caller the role Storage Blob",
        ),
        (GenericError(answer("401 Unauthorized")), LoginFailed, "our login (HTTP 401)"),
        (GenericError(answer("403 Forbidden")), AccessDenied, "does not allow this (HTTP 403)"),
        (
            GenericError(answer("429 Too Many Requests")),
            Throttled,
            "asks us to wait, longer than we do (HTTP 429). Run the same command again",
        ),
        (
            GenericError(answer("503 Service Unavailable", "ServerBusy")),
            Throttled,
            "(HTTP 503, ServerBusy)",
        ),
        (GenericError(answer("500 Internal")), ServerFailed, "failed (HTTP 500). Run the same"),
        (GenericError(answer("409 Conflict", "Odd")), RequestRefused, "refused (HTTP 409, Odd)."),
        (
            GenericError("HTTP error: error sending request"),
            Unreachable,
            "cannot be reached. Check the address and the network. Run the same command again",
        ),
        (
            GenericError("error sending request: invalid peer certificate: UnknownIssuer"),
            Unreachable,
            "shows a certificate that does not verify",
        ),
        (GenericError(f"odd {HIDDEN}"), Unreachable, "cannot be read. Check the address"),
        (ValueError(f"odd {HIDDEN}"), Unreachable, "cannot be read. Check the address"),
    ],
)
def test_a_failure_is_a_sentence_that_says_what_to_do(
    error: Exception, kind: type[P2cError], sentence: str
) -> None:
    found = translate(error)
    assert type(found) is kind
    assert sentence in str(found)
    assert found.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (
            GenericError(answer("404 Not Found", "NoSuchBucket")),
            SourceError,
            "s3://exports: there is no such bucket",
        ),
        (
            GenericError("Received redirect without LOCATION, this normally indicates ... region"),
            ConfigurationError,
            "another region than the one that was asked. Set the environment variable AWS_REGION",
        ),
        (GenericError(answer("301 Moved", "PermanentRedirect")), ConfigurationError, "AWS_REGION"),
        (
            GenericError("GET http://169.254.169.254/latest/api/token - status code: 403"),
            LoginFailed,
            "does not accept our login (HTTP 403). Check AWS_ACCESS_KEY_ID",
        ),
        (
            PermissionDeniedError(answer("403 Forbidden", "AccessDenied")),
            AccessDenied,
            "Give the caller s3:ListBucket and s3:GetObject",
        ),
    ],
)
def test_a_bucket_has_its_own_advice(error: BaseError, kind: type[P2cError], sentence: str) -> None:
    found = translate(error, S3)
    assert type(found) is kind
    assert sentence in str(found)


def test_a_refusal_keeps_status_and_code_as_data() -> None:
    found = translate(GenericError(answer("503 Service Unavailable", "SlowDown")), S3)
    assert isinstance(found, SystemStopped)
    assert (found.status, found.refusal.code, found.again) == (503, "SlowDown", True)


def test_what_a_login_said_is_what_is_raised() -> None:
    why = LoginFailed("is wrong.", where="Login (contoso)")

    class Refusing:
        def get_token(self, *_scopes: str, **_: object) -> object:
            raise why

    login = StoreLogin(Refusing)  # type: ignore[arg-type]
    with pytest.raises(LoginFailed, match="is wrong"):
        login()
    assert translate(UnauthenticatedError("External provider: is wrong"), login=login) is why


def test_our_own_errors_pass_through() -> None:
    why = SourceError("is no table.", where="contacts.csv")
    assert translate(why) is why
