"""Settings → credentials: every way people log in at Microsoft, through azure-identity, and the sandbox's own."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from pipeline.errors import AnswerUnreadable, ConfigurationError, SystemStopped
from pipeline.lazy import lazily
from pipeline.wire.failures import GOES_ON, is_html, translated
from pipeline.wire.login.auth import Credential, Token
from pipeline.wire.login.refusals import refused
from pipeline.wire.login.settings import AuthSettings

azure = lazily("pipeline.wire.login.azure")
"""azure-identity takes a third of a second to load; the sandbox and static tokens need none of it.
"""

_FOREVER: Final = 2**53


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Given:
    """A token as it is; one that we were given cannot be renewed."""

    token: str
    expires_on: int = _FOREVER

    def get_token(self, *_scopes: str, **_: Any) -> Token:
        """The token itself."""
        return self


def credential_maker(
    settings: AuthSettings, environment: Mapping[str, str], folder: Path, trust: ssl.SSLContext
) -> Callable[[], Credential]:
    """A function that makes the credential which the settings ask for.

    Made anew, it keeps no old token.

    Args:
        settings: ``[source.auth]`` or ``[destination.auth]``.
        environment: holds the secrets, under the names in the settings.
        folder: what file names are relative to.
        trust: certificates that are trusted.

    Raises:
        ConfigurationError: a variable is not set, or the certificate's file is not there.
    """
    match settings.kind:
        case "token":
            given = Given(token=_secret(settings.token_env, "token_env", environment))
            return lambda: given
        case "client_secret":
            secret = _secret(settings.secret_env, "secret_env", environment)
            if urlsplit(settings.authority or "").scheme == "http":
                return lambda: Plain(settings=settings, secret=secret)
            return lambda: azure.Login(settings, azure.with_secret(settings, secret, trust))
        case "certificate":
            path = folder / (settings.certificate or "")
            if not path.is_file():
                raise ConfigurationError(
                    f"there is no certificate {path}.", where="auth.certificate"
                )
            password = (
                _secret(settings.password_env, "password_env", environment)
                if settings.password_env
                else None
            )
            return lambda: azure.Login(
                settings, azure.with_certificate(settings, path, password, trust)
            )
        case "managed_identity":
            return lambda: azure.Login(settings, azure.managed(settings))
        case "azure_cli":
            return lambda: azure.Login(settings, azure.from_cli(settings))


def _secret(name: str | None, setting: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name or "", "")
    if not value:
        raise ConfigurationError(
            f"the environment variable {name} is not set.", where=f"auth.{setting}"
        )
    return value


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Plain:
    """Client id and secret at a login service on this machine without TLS, which azure-identity refuses to talk to."""

    settings: AuthSettings
    secret: str
    transport: httpx.BaseTransport | None = None

    def get_token(self, *scopes: str, **_: Any) -> Token:
        """Ask for a token. Raises ``SystemStopped``."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id or "",
            "client_secret": self.secret,
            "scope": " ".join(scopes),
        }
        system = f"Login ({urlsplit(self.settings.authority or '').netloc})"
        with httpx.Client(transport=self.transport, trust_env=False) as client:
            try:
                response = client.post(
                    f"{self.settings.authority}/{self.settings.tenant}/oauth2/v2.0/token", data=form
                )
            except httpx.HTTPError as error:
                raise translated(error, system, client) from error
        return self._read(response, system)

    def _read(self, response: httpx.Response, system: str) -> Token:
        try:
            answer = json.loads(response.content)
            if response.is_success:
                return Given(
                    token=str(answer["access_token"]),
                    expires_on=int(time.time() + float(answer["expires_in"])),
                )
            raise refused(
                str(answer.get("error_description") or answer.get("error") or ""),
                self.settings,
                system,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(response, system) from error


def _unreadable(response: httpx.Response, system: str) -> SystemStopped:
    what = "a web page" if is_html(response) else "something that is no token"
    transient = response.is_server_error
    told = f"answered with {what} (HTTP {response.status_code}). Check auth.authority. {GOES_ON}"
    return AnswerUnreadable(told, where=system, again=transient, status=response.status_code)
