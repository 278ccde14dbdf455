"""The one factory of HTTP clients: address, login, trust, time-outs, limits, no cookies."""

from __future__ import annotations

import functools
import logging
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

import certifi
import httpcore
import httpx

from pipeline import __version__
from pipeline.errors import ConfigurationError
from pipeline.wire.login.auth import Credential, TokenAuth
from pipeline.wire.login.credentials import make_credential_factory
from pipeline.wire.login.settings import SystemSettings, is_loopback
from pipeline.wire.timeouts import TIMEOUT

_READ: Final = 1_048_576
"""Bytes of one read. Pages are large: in pieces of 64 KiB, h11 needs three times the CPU."""

_TALKATIVE: Final = ("httpx", "httpcore", "azure", "msal")
"""Libraries that log URLs; a signed URL is a secret. What they warn of, we say in a sentence."""


def _prepare_libraries() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    httpcore.HTTP11Connection.READ_NUM_BYTES = _READ


def load_trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """The certificates that are trusted: the machine's own, Mozilla's, and those in ``ca_file``.

    Raises:
        ConfigurationError: the file is missing, or holds no certificate.
    """
    places = ssl.get_default_verify_paths()
    try:
        files = (places.cafile, places.capath, None if ca_file is None else str(ca_file))
        marks = tuple(None if name is None else Path(name).stat().st_mtime_ns for name in files)
        return _load_trust(files, marks)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no file {ca_file}.", where="auth.ca_file") from error
    except OSError as error:
        raise ConfigurationError(
            f"{ca_file} holds no certificates in PEM form.", where="auth.ca_file"
        ) from error


@functools.lru_cache(maxsize=8)
def _load_trust(
    files: tuple[str | None, str | None, str | None], _marks: tuple[int | None, ...]
) -> ssl.SSLContext:
    """Reading hundreds of certificates takes longer than a small load's other preparations."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if files[-1] is not None:
        context.load_verify_locations(files[-1])
    return context


def make_client(
    url: str,
    *,
    auth: httpx.Auth | None = None,
    verify: ssl.SSLContext | None = None,
    transport: httpx.BaseTransport | None = None,
    connections: int = 50,
    timeout: httpx.Timeout = TIMEOUT,
) -> httpx.Client:
    """A client of one system.

    Args:
        url: its base address; requests are relative to it.
        auth: puts a token into every request.
        verify: trusted certificates; ``trust()`` by default.
        transport: replaces the network in tests.
        connections: how many at once.
        timeout: in seconds.

    Returns:
        A client that follows no redirects and keeps no cookies: Dataverse's affinity cookie would
        send all requests to one web server, which has limits of its own. The machine's proxies are
        used, except for addresses on this machine.
    """
    _prepare_libraries()
    return httpx.Client(
        base_url=url,
        auth=auth,
        verify=verify or (load_trust() if transport is None else True),
        transport=transport,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={
            "User-Agent": f"p2c/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        },
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        timeout=timeout,
        trust_env=not is_loopback(url),
        follow_redirects=False,
    )


def connect(
    settings: SystemSettings,
    *,
    environment: Mapping[str, str],
    folder: Path,
    credential: Credential | None = None,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """Make the client of a system as the settings describe it. Close it when done.

    Args:
        settings: address and login.
        environment: holds the secrets, under the names in the settings.
        folder: what file names in the settings are relative to.
        credential: any ``TokenCredential``; replaces the one in the settings.
        transport: replaces the network in tests.

    Raises:
        ConfigurationError: a variable or a file that the settings name is missing.
    """
    trusted = load_trust(settings.ca_path(folder))
    make = (
        make_credential_factory(settings.auth, environment, folder, trusted)
        if credential is None
        else lambda: credential
    )
    auth = TokenAuth(make, settings.scope)
    return make_client(
        settings.url, auth=auth, verify=trusted, transport=transport, connections=settings.parallel
    )
