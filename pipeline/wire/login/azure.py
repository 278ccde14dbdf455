"""Credentials of azure-identity, with the certificates that we trust and our own messages."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
)
from requests.adapters import HTTPAdapter

from pipeline.errors import AnswerUnreadable, LoginAway, LoginFailed, SystemStopped
from pipeline.wire.failures import CONTINUE, distrust, read_retry_after, walk_causes
from pipeline.wire.json_body import parse_json
from pipeline.wire.login.auth import AccessToken
from pipeline.wire.login.refusals import (
    describe_passing,
    is_passing,
    login_within,
    translate_login_refusal,
)
from pipeline.wire.login.settings import AuthSettings
from pipeline.wire.login.tokens import is_token
from pipeline.wire.redact import redact_secrets
from pipeline.wire.system import UNREADABLE
from pipeline.wire.timeouts import CONNECT, LOGIN, READ

_NETWORK: Final = (ServiceRequestError, ServiceResponseError, requests.RequestException)
_MALFORMED: Final = (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What msal raises of an answer that has another form."""
_TALKATIVE: Final = ("azure", "msal")
"""Libraries that write what they were answered. What they warn of, we say in a sentence."""
_MACHINE_CONNECT: Final = 2.0
"""Seconds: the service that knows a machine's identity is near, or not there at all."""
_NO_TENANT: Final = "get authority config"
"""In what msal says of a tenant that the service does not know."""
_MICROSOFT: Final = "https://login.microsoftonline.com"


class _Trusting(HTTPAdapter):
    """Connections that trust the same certificates as the rest of p2c."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._trust)


class _LastAnswer:
    """The last answer to each thread: azure-identity keeps its status to itself."""

    def __init__(self) -> None:
        self._local = threading.local()

    @property
    def found(self) -> requests.Response | None:
        """The last answer to this thread, since it was forgotten."""
        found: requests.Response | None = getattr(self._local, "found", None)
        return found

    def forget(self) -> None:
        """Forget the last answer to this thread."""
        self._local.found = None

    def note(self, response: requests.Response, *_: object, **__: object) -> None:
        """Remember an answer."""
        self._local.found = response

    def make_session(self) -> requests.Session:
        """A session whose answers are remembered."""
        session = requests.Session()
        session.hooks["response"].append(self.note)
        return session


def _make_transport(session: requests.Session, connect: float) -> RequestsTransport:
    """Requests with the time-outs of all others."""
    return RequestsTransport(session=session, connection_timeout=connect, read_timeout=READ)


def _make_options(
    settings: AuthSettings, trust: ssl.SSLContext, last: _LastAnswer
) -> dict[str, Any]:
    session = last.make_session()
    session.mount("https://", _Trusting(trust))
    authority = settings.authority or _MICROSOFT
    return {
        "transport": _make_transport(session, CONNECT),
        "retry_total": 0,
        "authority": authority,
        "disable_instance_discovery": urlsplit(authority).hostname != urlsplit(_MICROSOFT).hostname,
    }


def make_secret_login(settings: AuthSettings, secret: str, trust: ssl.SSLContext) -> AzureLogin:
    """An app registration with a client secret."""
    last = _LastAnswer()
    options = _make_options(settings, trust, last)
    credential = ClientSecretCredential(
        settings.tenant or "", settings.client_id or "", secret, **options
    )
    return AzureLogin(settings, credential, last)


def make_certificate_login(
    settings: AuthSettings, path: Path, password: str | None, trust: ssl.SSLContext
) -> AzureLogin:
    """An app registration with a certificate (PEM or PFX).

    Raises ``LoginFailed`` for a file that is not a certificate.
    """
    last = _LastAnswer()
    options = _make_options(settings, trust, last)
    try:
        credential = CertificateCredential(
            settings.tenant or "",
            settings.client_id or "",
            str(path),
            password=password,
            **options,
        )
    except ValueError as error:
        message = (
            "cannot be used: it is not a certificate with its private key, or the password is "
            "wrong."
        )
        raise LoginFailed(message, where=f"auth.certificate ({path.name})") from error
    return AzureLogin(settings, credential, last)


def make_machine_login(settings: AuthSettings) -> AzureLogin:
    """The identity of the machine we run on; its service is asked again by azure-identity."""
    last = _LastAnswer()
    transport = _make_transport(last.make_session(), _MACHINE_CONNECT)
    credential = ManagedIdentityCredential(client_id=settings.client_id, transport=transport)
    return AzureLogin(settings, credential, last)


def make_cli_login(settings: AuthSettings) -> AzureLogin:
    """Whoever is logged in to the Azure CLI."""
    return AzureLogin(settings, AzureCliCredential(tenant_id=settings.tenant or ""))


class AzureLogin:
    """A credential whose failures are sentences, and that ends after ``longest`` seconds.

    ``last`` knows what it was answered, if it asks by itself.
    """

    def __init__(
        self,
        settings: AuthSettings,
        credential: TokenCredential,
        last: _LastAnswer | None = None,
        longest: float = LOGIN,
    ) -> None:
        self._longest = longest
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._settings = settings
        self._credential = credential
        self._last = last
        host = urlsplit(settings.authority or _MICROSOFT).netloc
        self._system = (
            f"Login ({host})"
            if settings.kind in {"client_secret", "certificate"}
            else f"Login ({settings.kind})"
        )

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token. Raises ``LoginFailed``, ``LoginAway``."""
        return login_within(
            self._longest, lambda: self._get_token(*scopes, **options), self._system
        )

    def _get_token(self, *scopes: str, **options: Any) -> AccessToken:
        if self._last is not None:
            self._last.forget()
        try:
            found = self._credential.get_token(*scopes, **options)
        except (AzureError, ValueError) as error:
            raise self._translate(error) from error
        except _MALFORMED as error:
            raise self._make_unreadable() from error
        if not is_token(found.token):
            raise self._make_unreadable()
        return found

    def _make_unreadable(self, status: int | None = None) -> AnswerUnreadable:
        number = "" if status is None else f" (HTTP {status})"
        return AnswerUnreadable(
            f"answered with something that is not a token{number}. Check auth.authority. "
            f"{CONTINUE}",
            where=self._system,
            again=True,
        )

    def _translate(self, error: AzureError | ValueError) -> SystemStopped:
        last = None if self._last is None else self._last.found
        status = None if last is None else last.status_code
        # azure-identity calls everything a refused login, even a network that failed.
        chain = list(_walk_all_causes(error))
        if last is None and any(isinstance(one, _NETWORK) for one in chain):
            return self._explain_network(chain)
        if is_passing(status, str(error)):
            wait = None if last is None else read_retry_after(httpx.Headers(dict(last.headers)))
            return describe_passing(status, str(error), wait, self._system)
        if isinstance(error, CredentialUnavailableError):
            return LoginFailed(
                f"is not possible here: {redact_secrets(str(error)).rstrip('. ')}.",
                where=self._system,
            )
        if any(isinstance(one, _NETWORK) for one in chain):
            return self._explain_network(chain)
        if last is not None and not _is_object(last.content) and _NO_TENANT not in str(error):
            return self._make_unreadable(status)
        return translate_login_refusal(str(error), self._settings, self._system)

    def _explain_network(self, chain: list[BaseException]) -> LoginAway:
        if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
            return LoginAway(distrust(self._system).message, where=self._system)
        return LoginAway(
            f"cannot be reached. Check network and auth.authority. {CONTINUE}",
            where=self._system,
            again=True,
        )


def _is_object(content: bytes) -> bool:
    """Whether an answer is a JSON object, as all of a login service are."""
    try:
        return isinstance(parse_json(content), dict)
    except UNREADABLE:
        return False


def _walk_all_causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it.

    azure-core keeps the error of requests as an attribute, and urllib3 that of ssl as an argument.
    """
    for one in walk_causes(error):
        yield one
        if isinstance(one, AzureError) and one.inner_exception is not None:
            yield from _walk_all_causes(one.inner_exception)
        yield from (part for part in one.args if isinstance(part, ssl.SSLError))
