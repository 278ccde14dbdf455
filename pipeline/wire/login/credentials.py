"""Settings → credentials: all ways to log in to Microsoft, and the sandbox's own."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from pipeline.errors import (
    AnswerUnreadable,
    ConfigurationError,
    LoginAway,
    Refusal,
    SystemStopped,
)
from pipeline.lazy import import_lazily
from pipeline.wire.body import read_body
from pipeline.wire.failures import (
    CONTINUE,
    is_html,
    read_retry_after,
    refuse_size,
    translate_exception,
)
from pipeline.wire.json_body import MalformedError, parse_json
from pipeline.wire.login.auth import AccessToken, Credential
from pipeline.wire.login.refusals import (
    describe_passing,
    is_passing,
    login_within,
    translate_login_refusal,
)
from pipeline.wire.login.settings import AuthSettings, hide_unusual
from pipeline.wire.login.tokens import GivenToken, is_token, take_token
from pipeline.wire.system import UNREADABLE
from pipeline.wire.timeouts import LOGIN, TIMEOUT

azure = import_lazily("pipeline.wire.login.azure")
"""azure-identity loads in a third of a second; the sandbox and static tokens do not need it."""

_LARGEST: Final = 1 << 20
"""Bytes of an answer of a login service; tokens have some thousands."""


def make_credential_factory(
    settings: AuthSettings, environment: Mapping[str, str], folder: Path, trust: ssl.SSLContext
) -> Callable[[], Credential]:
    """A function that makes the credential which the settings ask for.

    A fresh credential holds no old token.

    Args:
        settings: ``[source.auth]`` or ``[destination.auth]``.
        environment: holds the secrets, under the names in the settings.
        folder: what file names are relative to.
        trust: the certificates that are trusted.

    Raises:
        ConfigurationError: a variable is not set, or the certificate's file is missing.
    """
    match settings.kind:
        case "token":
            token = _read_secret(settings.token_env, "token_env", environment)
            given = take_token(token, settings.token_env or "", time.time())
            return lambda: given
        case "client_secret":
            secret = _read_secret(settings.secret_env, "secret_env", environment)
            if urlsplit(settings.authority or "").scheme == "http":
                return lambda: PlainLogin(settings=settings, secret=secret)
            return lambda: azure.make_secret_login(settings, secret, trust)
        case "certificate":
            path = folder / (settings.certificate or "")
            if not path.is_file():
                raise ConfigurationError(
                    f"there is no certificate {path}.", where="auth.certificate"
                )
            password = (
                _read_secret(settings.password_env, "password_env", environment)
                if settings.password_env
                else None
            )
            return lambda: azure.make_certificate_login(settings, path, password, trust)
        case "managed_identity":
            return lambda: azure.make_machine_login(settings)
        case "azure_cli":
            return lambda: azure.make_cli_login(settings)


def _read_secret(name: str | None, setting: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name or "", "")
    if value:
        return value
    shown = hide_unusual(name or "")
    if shown == name:
        text = (
            f"the environment variable {shown} is not set. Set it where you start p2c: "
            f"`export {shown}=…`, in PowerShell `$env:{shown} = '…'`."
        )
    else:
        text = (
            "the environment variable … is not set. This setting takes the name of a variable, as "
            "in P2C_CLIENT_SECRET. If the secret itself stands here, put it into that variable."
        )
    raise ConfigurationError(text, where=f"auth.{setting}")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PlainLogin:
    """Client id and secret at a login service on this machine without TLS.

    azure-identity refuses to talk to such a service.
    """

    settings: AuthSettings
    secret: str
    transport: httpx.BaseTransport | None = None
    longest: float = LOGIN

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Ask for a token. Raises ``SystemStopped``."""
        system = f"Login ({urlsplit(self.settings.authority or '').netloc})"
        return login_within(self.longest, lambda: self._ask(scopes, system), system)

    def _ask(self, scopes: tuple[str, ...], system: str) -> AccessToken:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id or "",
            "client_secret": self.secret,
            "scope": " ".join(scopes),
        }
        url = f"{self.settings.authority}/{self.settings.tenant}/oauth2/v2.0/token"
        with httpx.Client(transport=self.transport, trust_env=False, timeout=TIMEOUT) as client:
            try:
                with client.stream("POST", url, data=form) as answer:
                    response = read_body(answer, _LARGEST)[0]
            except MalformedError as error:
                raise refuse_size(error, system) from error
            except httpx.HTTPError as error:
                found = translate_exception(error, system, client)
                raise LoginAway(found.message, where=system, again=found.again) from error
        return self._read(response, system)

    def _read(self, response: httpx.Response, system: str) -> AccessToken:
        if is_passing(response.status_code, _read_reason(response)):
            wait = read_retry_after(response.headers)
            raise describe_passing(response.status_code, _read_reason(response), wait, system)
        try:
            answer = parse_json(response.content)
            if not isinstance(answer, dict):
                raise MalformedError("JSON that is not an object")
            if response.is_success:
                return GivenToken(
                    token=_read_token(answer["access_token"]),
                    expires_on=int(time.time() + float(answer["expires_in"])),
                )
            raise translate_login_refusal(_read_reason(response), self.settings, system)
        except UNREADABLE as error:
            raise _translate_unreadable(response, system) from error


def _read_token(value: str) -> str:
    """A token as it can stand in a header. Raises ``MalformedError``."""
    if not is_token(value):
        raise MalformedError("a token that is no plain text")
    return value


def _read_reason(response: httpx.Response) -> str:
    """Why the login service refuses; blank if it does not, or does not say so."""
    if response.is_success:
        return ""
    try:
        answer = parse_json(response.content)
    except UNREADABLE:
        return ""
    if not isinstance(answer, dict):
        return ""
    return str(answer.get("error_description") or answer.get("error") or "")


def _translate_unreadable(response: httpx.Response, system: str) -> SystemStopped:
    what = "a web page" if is_html(response) else "something that is not a token"
    transient = response.is_server_error
    said = Refusal(status=response.status_code)
    message = f"answered with {what} (HTTP {said.status}). Check auth.authority. {CONTINUE}"
    return AnswerUnreadable(message, where=system, again=transient, refusal=said)
