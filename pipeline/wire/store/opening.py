"""An address and a login → the folder, to be read like one of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from pipeline import __version__
from pipeline.errors import ConfigurationError, during
from pipeline.wire.client import load_trust
from pipeline.wire.login.credentials import make_credential_factory
from pipeline.wire.login.settings import AuthSettings, is_loopback
from pipeline.wire.store.location import Provider, StoreLocation
from pipeline.wire.store.login import SCOPE, StoreLogin
from pipeline.wire.store.path import Store, StorePath
from pipeline.wire.store.variables import (
    AZURE_LOGINS,
    list_azure_variables,
    list_s3_variables,
)

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

TIMEOUT: Final = timedelta(minutes=3)
"""Of one request, which asks for 16 MiB at most."""

_RETRY: Final[RetryConfig] = {
    "max_retries": 5,
    "backoff": {
        "init_backoff": timedelta(milliseconds=200),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    },
    "retry_timeout": timedelta(minutes=2),
}


def open_location(
    location: StoreLocation,
    auth: AuthSettings | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    folder: Path = Path(),
) -> StorePath:
    """The folder at an address. Nothing is sent yet.

    Args:
        location: the address.
        auth: how to log in to Azure; without it, the environment says so, as for the others.
        environment: holds secrets, accounts, endpoints and regions under their usual names.
        folder: what file names in ``auth`` are relative to.

    Raises:
        ConfigurationError: the account or the login is missing, or a file that ``auth`` names.
    """
    client, login = _open_client(location, auth, environment, folder)
    return StorePath(Store(client, location, login), location.path)


def _open_client(
    location: StoreLocation,
    auth: AuthSettings | None,
    environment: Mapping[str, str],
    folder: Path,
) -> tuple[ObjectStore, StoreLogin | None]:
    try:
        match location.provider:
            case Provider.AZURE:
                return _open_azure(location, auth, environment, folder)
            case Provider.S3:
                config = list_s3_variables(environment)
                options = _set_client(config.get("aws_endpoint_url_s3") or config.get("endpoint"))
                return _open_s3(location, config, options), None
            case Provider.GOOGLE:
                options = _set_client(None)
                store = GCSStore(location.container, client_options=options, retry_config=_RETRY)
                return store, None
    except (BaseError, ValueError, OSError) as error:
        raise ConfigurationError(
            "cannot be opened: a variable of the environment that says how to reach it has a value "
            f"that cannot be used ({type(error).__name__}).",
            where=location.root,
        ) from error


def _open_s3(location: StoreLocation, config: Mapping[str, str], options: ClientConfig) -> S3Store:
    given: Any = dict(config)
    return S3Store(location.container, config=given, client_options=options, retry_config=_RETRY)


def _open_azure(
    location: StoreLocation,
    auth: AuthSettings | None,
    environment: Mapping[str, str],
    folder: Path,
) -> tuple[AzureStore, StoreLogin | None]:
    config = list_azure_variables(environment)
    if location.account is not None and location.endpoint is not None:
        config |= {"account_name": location.account, "endpoint": location.endpoint}
    if not config.get("account_name"):
        raise ConfigurationError(
            "does not name the storage account. Write "
            "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER, or set the environment "
            "variable AZURE_STORAGE_ACCOUNT_NAME.",
            where=location.root,
        )
    login = None if auth is None else _make_login(auth, environment, folder)
    if login is None and not AZURE_LOGINS & config.keys():
        raise ConfigurationError(
            "there is no login for it. Add [source.auth] to the project, or set the environment "
            "variable AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN.",
            where=location.root,
        )
    ca_file = None if auth is None or auth.ca_file is None else folder / auth.ca_file
    given: Any = config if login is None else {
        name: config[name] for name in ("account_name", "endpoint") if name in config
    }  # fmt: skip
    store = AzureStore(
        location.container,
        config=given,
        client_options=_set_client(config.get("endpoint"), ca_file),
        retry_config=_RETRY,
        credential_provider=login,
    )
    return store, login


def _make_login(auth: AuthSettings, environment: Mapping[str, str], folder: Path) -> StoreLogin:
    trust = load_trust(None if auth.ca_file is None else folder / auth.ca_file)
    make = make_credential_factory(auth, environment, folder, trust)
    return StoreLogin(make, auth.scope or SCOPE)


def _set_client(endpoint: str | None, ca_file: Path | None = None) -> ClientConfig:
    """Time-outs, and plain http for this machine alone."""
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=15),
        "timeout": TIMEOUT,
        "user_agent": f"p2c/{__version__}",
    }
    if endpoint is not None and urlsplit(endpoint).scheme == "http":
        if not is_loopback(endpoint):
            raise ConfigurationError(
                "is plain http, which would send the login in the clear; it must begin with "
                "https://.",
                where="the endpoint in the environment",
            )
        options["allow_http"] = True
    if ca_file is not None:
        with during("reading auth.ca_file"):
            options["root_certificate"] = ca_file.read_bytes()
    return options
