"""Credentials of azure-identity, with our trust and our words."""

from __future__ import annotations

import ssl
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

from pipeline.errors import LoginFailed, SystemStopped, Unreachable
from pipeline.wire.failures import GOES_ON, causes
from pipeline.wire.login.auth import Token
from pipeline.wire.login.refusals import refused
from pipeline.wire.login.settings import AuthSettings
from pipeline.wire.redact import without_secrets

_NETWORK: Final = (ServiceRequestError, ServiceResponseError, requests.RequestException)
_MICROSOFT: Final = "https://login.microsoftonline.com"


class _Trusting(HTTPAdapter):
    """Connections that trust what the rest of p2c trusts."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._trust)


def _common(settings: AuthSettings, trust: ssl.SSLContext) -> dict[str, Any]:
    session = requests.Session()
    session.mount("https://", _Trusting(trust))
    authority = settings.authority or _MICROSOFT
    return {
        "transport": RequestsTransport(session=session),
        "retry_total": 0,
        "authority": authority,
        "disable_instance_discovery": urlsplit(authority).hostname != urlsplit(_MICROSOFT).hostname,
    }


def with_secret(settings: AuthSettings, secret: str, trust: ssl.SSLContext) -> TokenCredential:
    """An app registration with a client secret."""
    return ClientSecretCredential(
        settings.tenant or "", settings.client_id or "", secret, **_common(settings, trust)
    )


def with_certificate(
    settings: AuthSettings, path: Path, password: str | None, trust: ssl.SSLContext
) -> TokenCredential:
    """An app registration with a certificate (PEM or PFX).

    Raises ``LoginFailed`` for a file that is none.
    """
    try:
        return CertificateCredential(
            settings.tenant or "",
            settings.client_id or "",
            str(path),
            password=password,
            **_common(settings, trust),
        )
    except ValueError as error:
        told = (
            "cannot be used: it is no certificate with its private key, or the password is wrong."
        )
        raise LoginFailed(told, where=f"auth.certificate ({path.name})") from error


def managed(settings: AuthSettings) -> TokenCredential:
    """The identity of the machine we run on."""
    return ManagedIdentityCredential(client_id=settings.client_id)


def from_cli(settings: AuthSettings) -> TokenCredential:
    """Whoever is logged in at the Azure CLI."""
    return AzureCliCredential(tenant_id=settings.tenant or "")


class Login:
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

    def get_token(self, *scopes: str, **options: Any) -> Token:
        """A token. Raises ``LoginFailed``, ``Unreachable``."""
        try:
            return self._credential.get_token(*scopes, **options)
        except (AzureError, ValueError) as error:
            raise self._told(error) from error

    def _told(self, error: AzureError | ValueError) -> SystemStopped:
        if isinstance(error, CredentialUnavailableError):
            return LoginFailed(
                f"is not possible here: {without_secrets(str(error)).rstrip('. ')}.",
                where=self._system,
            )
        # azure-identity makes a refused login of everything, a network that failed among it.
        network = [one for one in causes(error) if isinstance(one, _NETWORK)]
        if network:
            return self._unreached(str(network[-1]))
        return refused(str(error), self._settings, self._system)

    def _unreached(self, text: str) -> Unreachable:
        if "CERTIFICATE_VERIFY_FAILED" in text:
            told = (
                "shows a certificate that does not verify. If your network or the sandbox has a CA "
                "of its own, name its file in "
                "auth.ca_file; p2c never goes on unverified."
            )
            return Unreachable(told, where=self._system)
        return Unreachable(
            f"cannot be reached. Check network and auth.authority. {GOES_ON}",
            where=self._system,
            again=True,
        )
