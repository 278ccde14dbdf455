"""An address and a login → the folder, to be read like one of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class StorePatience:
    """How long a store may take for one request, and how often the same one is sent again."""

    timeout: timedelta = timedelta(minutes=3)
    retries: int = 5
    together: timedelta = timedelta(minutes=2)

    @property
    def retry(self) -> RetryConfig:
        """The same as obstore takes it."""
        return {
            "max_retries": self.retries,
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=10),
                "base": 2,
            },
            "retry_timeout": self.together,
        }


PATIENCE: Final = StorePatience()


def open_location(
    location: StoreLocation,
    auth: AuthSettings | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    folder: Path = Path(),
    patience: StorePatience = PATIENCE,
) -> StorePath:
    """The folder at an address. Nothing is sent yet.

    Args:
        location: the address.
        auth: how to log in to Azure; without it, the environment says so, as for the others.
        environment: holds secrets, accounts, endpoints and regions under their usual names.
        folder: what file names in ``auth`` are relative to.
        patience: how long and how often the store is asked.

    Raises:
        ConfigurationError: the account or the login is missing, or a file that ``auth`` names.
    """
    opening = _Opening(
        location=location, auth=auth, environment=environment, folder=folder, patience=patience
    )
    client, login = opening.open()
    return StorePath(Store(client, location, login), location.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opening:
    """What is known before a store is opened."""

    location: StoreLocation
    auth: AuthSettings | None
    environment: Mapping[str, str]
    folder: Path
    patience: StorePatience

    def open(self) -> tuple[ObjectStore, StoreLogin | None]:
        """The client, and the login that it uses if the project has one."""
        try:
            match self.location.provider:
                case Provider.AZURE:
                    return self._open_azure()
                case Provider.S3:
                    return self._open_s3(), None
                case Provider.GOOGLE:
                    return self._open_google(), None
        except (BaseError, ValueError, OSError) as error:
            raise ConfigurationError(
                "cannot be opened: a variable of the environment that says how to reach it has a "
                f"value that cannot be used ({type(error).__name__}).",
                where=self.location.root,
            ) from error

    def _open_s3(self) -> S3Store:
        config = list_s3_variables(self.environment)
        endpoint = config.get("aws_endpoint_url_s3") or config.get("endpoint")
        given: Any = config
        return S3Store(
            self.location.container,
            config=given,
            client_options=self._set_client(endpoint),
            retry_config=self.patience.retry,
        )

    def _open_google(self) -> GCSStore:
        return GCSStore(
            self.location.container,
            client_options=self._set_client(None),
            retry_config=self.patience.retry,
        )

    def _open_azure(self) -> tuple[AzureStore, StoreLogin | None]:
        config = self._configure_azure()
        login = None if self.auth is None else self._make_login(self.auth)
        if login is None and not AZURE_LOGINS & config.keys():
            raise ConfigurationError(
                "there is no login for it. Add [source.auth] to the project, or set the "
                "environment variable AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN.",
                where=self.location.root,
            )
        reach = {name: config[name] for name in ("account_name", "endpoint") if name in config}
        given: Any = config if login is None else reach
        store = AzureStore(
            self.location.container,
            config=given,
            client_options=self._set_client(config.get("endpoint")),
            retry_config=self.patience.retry,
            credential_provider=login,
        )
        return store, login

    def _configure_azure(self) -> dict[str, str]:
        """What the environment says; what the address says ranks before it."""
        config = list_azure_variables(self.environment)
        if self.location.account is not None and self.location.endpoint is not None:
            config |= {"account_name": self.location.account, "endpoint": self.location.endpoint}
        if not config.get("account_name"):
            raise ConfigurationError(
                "does not name the storage account. Write "
                "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER, or set the environment "
                "variable AZURE_STORAGE_ACCOUNT_NAME.",
                where=self.location.root,
            )
        return config

    @property
    def _ca_file(self) -> Path | None:
        if self.auth is None or self.auth.ca_file is None:
            return None
        return self.folder / self.auth.ca_file

    def _make_login(self, auth: AuthSettings) -> StoreLogin:
        trust = load_trust(self._ca_file)
        make = make_credential_factory(auth, self.environment, self.folder, trust)
        return StoreLogin(make, auth.scope or SCOPE)

    def _set_client(self, endpoint: str | None) -> ClientConfig:
        """Time-outs, and plain http for this machine alone."""
        options: ClientConfig = {
            "connect_timeout": timedelta(seconds=15),
            "timeout": self.patience.timeout,
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
        if self._ca_file is not None:
            with during("reading auth.ca_file"):
                options["root_certificate"] = self._ca_file.read_bytes()
        return options
