"""Credentials of azure-identity, with the certificates that we trust and our own messages."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

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

from pipeline.errors import AnswerUnreadable, LoginFailed, SystemStopped, Unreachable
from pipeline.wire.failures import CONTINUE, distrust, walk_causes
from pipeline.wire.login.auth import AccessToken
from pipeline.wire.login.refusals import translate_login_refusal
from pipeline.wire.login.settings import AuthSettings
from pipeline.wire.redact import redact_secrets

_NETWORK: Final = (ServiceRequestError, ServiceResponseError, requests.RequestException)
_MALFORMED: Final = (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What msal raises of an answer that has another form."""
_MICROSOFT: Final = "https://login.microsoftonline.com"


class _Trusting(HTTPAdapter):
    """Connections that trust the same certificates as the rest of p2c."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._trust)


def _share_options(settings: AuthSettings, trust: ssl.SSLContext) -> dict[str, Any]:
    session = requests.Session()
    session.mount("https://", _Trusting(trust))
    authority = settings.authority or _MICROSOFT
    return {
        "transport": RequestsTransport(session=session),
        "retry_total": 0,
        "authority": authority,
        "disable_instance_discovery": urlsplit(authority).hostname != urlsplit(_MICROSOFT).hostname,
    }


def make_secret_credential(
    settings: AuthSettings, secret: str, trust: ssl.SSLContext
) -> TokenCredential:
    """An app registration with a client secret."""
    return ClientSecretCredential(
        settings.tenant or "", settings.client_id or "", secret, **_share_options(settings, trust)
    )


def make_certificate_credential(
    settings: AuthSettings, path: Path, password: str | None, trust: ssl.SSLContext
) -> TokenCredential:
    """An app registration with a certificate (PEM or PFX).

    Raises ``LoginFailed`` for a file that is not a certificate.
    """
    try:
        return CertificateCredential(
            settings.tenant or "",
            settings.client_id or "",
            str(path),
            password=password,
            **_share_options(settings, trust),
        )
    except ValueError as error:
        message = (
            "cannot be used: it is not a certificate with its private key, or the password is "
            "wrong."
        )
        raise LoginFailed(message, where=f"auth.certificate ({path.name})") from error


def make_machine_credential(settings: AuthSettings) -> TokenCredential:
    """The identity of the machine we run on."""
    return ManagedIdentityCredential(client_id=settings.client_id)


def make_cli_credential(settings: AuthSettings) -> TokenCredential:
    """Whoever is logged in to the Azure CLI."""
    return AzureCliCredential(tenant_id=settings.tenant or "")


class AzureLogin:
    """A credential whose failures are sentences."""

    def __init__(self, settings: AuthSettings, credential: TokenCredential) -> None:
        self._settings = settings
        self._credential = credential
        host = urlsplit(settings.authority or _MICROSOFT).netloc
        self._system = (
            f"Login ({host})"
            if settings.kind in {"client_secret", "certificate"}
            else f"Login ({settings.kind})"
        )

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token. Raises ``LoginFailed``, ``Unreachable``."""
        try:
            return self._credential.get_token(*scopes, **options)
        except (AzureError, ValueError) as error:
            raise self._translate(error) from error
        except _MALFORMED as error:
            raise AnswerUnreadable(
                f"answered with something that is not a token. Check auth.authority. {CONTINUE}",
                where=self._system,
                again=True,
            ) from error

    def _translate(self, error: AzureError | ValueError) -> SystemStopped:
        if isinstance(error, CredentialUnavailableError):
            return LoginFailed(
                f"is not possible here: {redact_secrets(str(error)).rstrip('. ')}.",
                where=self._system,
            )
        # azure-identity calls everything a refused login, even a network that failed.
        chain = list(_walk_all_causes(error))
        if any(isinstance(one, _NETWORK) for one in chain):
            return self._explain_network(chain)
        return translate_login_refusal(str(error), self._settings, self._system)

    def _explain_network(self, chain: list[BaseException]) -> Unreachable:
        if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
            return distrust(self._system)
        return Unreachable(
            f"cannot be reached. Check network and auth.authority. {CONTINUE}",
            where=self._system,
            again=True,
        )


def _walk_all_causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that led to it.

    azure-core keeps the error of requests as an attribute, and urllib3 that of ssl as an argument.
    """
    for one in walk_causes(error):
        yield one
        if isinstance(one, AzureError) and one.inner_exception is not None:
            yield from _walk_all_causes(one.inner_exception)
        yield from (part for part in one.args if isinstance(part, ssl.SSLError))
