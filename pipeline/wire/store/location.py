"""The address of a folder in an object store, as a setting writes it.

Secrets are no part of an address: what could carry one is refused, and never shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit


class Provider(StrEnum):
    """Whose store it is, by the name that messages use."""

    AZURE = "Azure storage"
    S3 = "S3"
    GOOGLE = "Google Cloud Storage"


_SCHEMES: Final = {
    "abfss": Provider.AZURE,
    "abfs": Provider.AZURE,
    "az": Provider.AZURE,
    "azure": Provider.AZURE,
    "wasbs": Provider.AZURE,
    "https": Provider.AZURE,
    "s3": Provider.S3,
    "s3a": Provider.S3,
    "gs": Provider.GOOGLE,
    "gcs": Provider.GOOGLE,
}
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_ONE_SLASH: Final = re.compile(rf"({'|'.join(_SCHEMES)}):/(?!/)", re.IGNORECASE)
_HOST: Final = re.compile(r"(?P<account>[a-z0-9-]+)\.(?:[a-z0-9-]+\.)*?(?:dfs|blob)\.[a-z0-9.-]+")
_STEPS: Final = re.compile(r"\.(?:dfs|blob)\.")

FORMS: Final = (
    "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER, az://CONTAINER/FOLDER, "
    "s3://BUCKET/FOLDER or gs://BUCKET/FOLDER"
)
"""The addresses that are read, for messages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreLocation:
    """A folder in a store.

    ``root`` is the address without the folder; ``path`` the folder, blank for the whole container.
    ``account`` and ``host`` are those of an Azure address that names them, else null.
    """

    provider: Provider
    root: str
    container: str
    path: str
    account: str | None = None
    host: str | None = None

    @property
    def url(self) -> str:
        """The address."""
        return f"{self.root}/{self.path}" if self.path else self.root

    @property
    def endpoint(self) -> str | None:
        """Where the Blob API of an Azure account is; null if the address does not say it."""
        if self.host is None:
            return None
        return f"https://{_STEPS.sub('.blob.', self.host, count=1)}"


def is_store_url(text: str) -> bool:
    """Whether a setting is an address, and not a path of this machine."""
    return _URL.match(text) is not None or _ONE_SLASH.match(text) is not None


def parse_location(text: str) -> StoreLocation | None:
    """What an address says; null for a path of this machine.

    Raises:
        ValueError: it is an address that cannot be read. The sentence does not repeat it.
    """
    if not is_store_url(text):
        return None
    if _ONE_SLASH.match(text):
        raise ValueError(f"must have two slashes after the colon, as in {FORMS}")
    scheme = text.partition(":")[0].lower()
    if scheme == "file":
        raise ValueError("must be a plain path for a folder of this machine, without file://")
    provider = _SCHEMES.get(scheme)
    if provider is None:
        raise ValueError(f"must be a folder of this machine, or {FORMS}; not {scheme}://")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ValueError(f"must be an address such as {FORMS}") from error
    _refuse_secrets(parts)
    return (_parse_azure if provider is Provider.AZURE else _parse_bucket)(parts, provider)


def _refuse_secrets(parts: SplitResult) -> None:
    if "?" in parts.geturl() or "#" in parts.geturl():
        raise ValueError(
            "must not contain ? or #: a SAS token or key does not belong into an address. Put it "
            "into an environment variable, such as AZURE_STORAGE_SAS_TOKEN"
        )
    if ":" in parts.netloc:
        raise ValueError("must not contain a password, a key or a port")


def _parse_azure(parts: SplitResult, provider: Provider) -> StoreLocation:
    container, at, host = parts.netloc.rpartition("@")
    path = unquote(parts.path)
    if parts.scheme == "https":
        if at:
            raise ValueError("must not contain a user")
        container, _, path = path.strip("/").partition("/")
        root = f"{parts.scheme}://{host}/{container}"
    elif at:
        root = f"{parts.scheme}://{container}@{host}"
    else:
        container, host = host, ""
        root = f"{parts.scheme}://{container}"
    found = _HOST.fullmatch(host.lower())
    if host and found is None:
        raise ValueError(
            "must name the host of an Azure account, as in ACCOUNT.dfs.core.windows.net or "
            "onelake.dfs.fabric.microsoft.com"
        )
    if not container:
        raise ValueError(f"must name a container, as in {FORMS}")
    return StoreLocation(
        provider=provider,
        root=root,
        container=unquote(container),
        path=_tidy(path),
        account=found["account"] if found else None,
        host=host.lower() or None,
    )


def _parse_bucket(parts: SplitResult, provider: Provider) -> StoreLocation:
    if not parts.netloc or "@" in parts.netloc:
        raise ValueError(f"must name a bucket, as in {FORMS}")
    return StoreLocation(
        provider=provider,
        root=f"{parts.scheme}://{parts.netloc}",
        container=parts.netloc,
        path=_tidy(parts.path),
    )


def _tidy(path: str) -> str:
    steps = [step for step in path.split("/") if step]
    if "." in steps or ".." in steps:
        raise ValueError("must not contain the steps . or ..")
    return "/".join(steps)
