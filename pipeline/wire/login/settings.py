"""Where a system is and how we log in there: ``[source]`` and ``[destination]`` url and auth.

Secrets are never settings: a setting names the environment variable that holds one. So nothing in
a project file, a run folder or a message can reveal it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Kind = Literal["client_secret", "certificate", "managed_identity", "azure_cli", "token"]

_NEEDS: Final[dict[Kind, tuple[str, ...]]] = {
    "client_secret": ("tenant", "client_id", "secret_env"),
    "certificate": ("tenant", "client_id", "certificate"),
    "managed_identity": (),
    "azure_cli": (),
    "token": ("token_env",),
}
_TAKES: Final[dict[Kind, tuple[str, ...]]] = {
    "client_secret": ("authority",),
    "certificate": ("password_env", "authority"),
    "managed_identity": ("client_id",),
    "azure_cli": ("tenant",),
    "token": (),
}
_EVERY: Final = ("kind", "ca_file", "scope")


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address, as in https://contoso.crm4.dynamics.com")
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("must begin with https://; plain http would send the login in the clear")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must be a bare address without user, query or fragment")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:
        return (
            {key: value for key, value in given.items() if value != ""}
            if isinstance(given, dict)
            else given
        )


class AuthSettings(_Section):
    """``[source.auth]`` and ``[destination.auth]``: who we are.

    ``secret_env``, ``password_env`` and ``token_env`` name environment variables. ``authority``
    replaces ``https://login.microsoftonline.com`` (other clouds, the sandbox); ``scope`` replaces
    ``<url>/.default``; ``ca_file`` is a PEM file of certificates that are trusted in addition to
    the machine's own.
    """

    kind: Kind
    tenant: str | None = None
    client_id: str | None = None
    secret_env: str | None = None
    certificate: str | None = None
    password_env: str | None = None
    token_env: str | None = None
    authority: Address | None = None
    scope: str | None = None
    ca_file: str | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        missing = [name for name in _NEEDS[self.kind] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"kind '{self.kind}' needs {', '.join(missing)}")
        known = {*_EVERY, *_NEEDS[self.kind], *_TAKES[self.kind]}
        unused = [
            name
            for name in sorted(self.model_fields_set)
            if getattr(self, name) is not None and name not in known
        ]
        if unused:
            raise ValueError(f"kind '{self.kind}' does not use {', '.join(unused)}")
        return self


class SystemSettings(_Section):
    """One system: its address, how to log in, and how many requests at most may run at once.

    The system's own hint on parallelism counts as well; the smaller of the two wins.
    """

    url: Address
    auth: AuthSettings
    parallel: int = 50

    def ca_path(self, folder: Path) -> Path | None:
        """The file of further certificates; relative to the project's folder."""
        return None if self.auth.ca_file is None else folder / self.auth.ca_file

    @property
    def scope(self) -> str:
        """What tokens are requested for."""
        return self.auth.scope or f"{self.url}/.default"
