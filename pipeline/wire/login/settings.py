"""Where a system is and how we log in there: ``[source]`` and ``[destination]`` url and auth.

Secrets are never settings: a setting names the environment variable that holds one. So nothing in
a project file, a run folder or a message can reveal it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from pipeline.lazy import import_lazily

if TYPE_CHECKING:
    import httpx
else:
    httpx = import_lazily("httpx")

_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]{0,99}")
_USUAL: Final = re.compile("_?(?:[A-Z]{1,20}|[A-Z][A-Z0-9]{0,15}(?:_[A-Z0-9]{1,16})+)")
_LONGEST: Final = 60

_SCM_HOST: Final = re.compile(
    r"(?i)\.(operations(\.[a-z0-9-]+)?|cloudax|axcloud)\.dynamics\.(com|cn)$"
    r"|\.operations\.(microsoft)?dynamics\.(us|cn)$|\.operations\.appsplatform\.us$"
)
_SALES_HOST: Final = re.compile(
    r"(?i)\.crm[0-9]*\.(dynamics\.(com|cn)|microsoftdynamics\.(us|de)|appsplatform\.us)$"
)
_ON_PREMISES: Final = re.compile(r"(?i)(/namespaces/[a-z0-9_-]+)?")
"""The path of an SCM that is not in Microsoft's cloud."""

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

Kind = Literal["client_secret", "certificate", "managed_identity", "azure_cli", "token"]

NEEDS: Final[dict[Kind, tuple[str, ...]]] = {
    "client_secret": ("tenant", "client_id", "secret_env"),
    "certificate": ("tenant", "client_id", "certificate"),
    "managed_identity": (),
    "azure_cli": (),
    "token": ("token_env",),
}
"""The keys that a kind of login must have."""

TAKES: Final[dict[Kind, tuple[str, ...]]] = {
    "client_secret": ("authority",),
    "certificate": ("password_env", "authority"),
    "managed_identity": ("client_id",),
    "azure_cli": ("tenant",),
    "token": (),
}
"""The keys that a kind of login may have."""

EVERY: Final = ("kind", "ca_file", "scope")
"""The keys that every kind of login may have."""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return (urlsplit(url).hostname or "") in LOOPBACK


def _check_address(value: str) -> str:
    parts = _split_address(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address, as in https://contoso.crm4.dynamics.com")
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("must begin with https://; plain http would send the login in the clear")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must be a bare address without user, query or fragment")
    return value.rstrip("/")


def _check_sales_address(value: str) -> str:
    host = urlsplit(value).hostname or ""
    if _SCM_HOST.search(host):
        raise ValueError(
            "is an address of SCM. source.url takes the address of Sales, as in "
            "https://contoso.crm4.dynamics.com; SCM's belongs into destination.url"
        )
    _refuse_path(value)
    return value


def _check_scm_address(value: str) -> str:
    host = urlsplit(value).hostname or ""
    if _SALES_HOST.search(host):
        raise ValueError(
            "is an address of Sales. destination.url takes the address of SCM, as in "
            "https://contoso.operations.eu.dynamics.com; that of Sales belongs into source.url"
        )
    if _ON_PREMISES.fullmatch(urlsplit(value).path) is None:
        _refuse_path(value)
    return value


def _refuse_path(value: str) -> None:
    parts = urlsplit(value)
    if parts.path:
        raise ValueError(
            f"must end after the host, as in {parts.scheme}://{parts.netloc}; p2c adds the path of "
            "the interface itself"
        )


def _split_address(value: str) -> SplitResult | None:
    """The parts of an address; null if the client could not be sent there."""
    try:
        parts = urlsplit(value)
        host = httpx.URL(value).host
        is_one = bool(host) and parts.port != 0 and not re.search(r"\s", value)
    except (ValueError, httpx.InvalidURL):
        return None
    return parts if is_one else None


Address = Annotated[
    str,
    AfterValidator(_check_address),
    WithJsonSchema({"type": "string", "title": "an address that begins with https://"}),
]


_ADDRESS_SCHEMA: Final = WithJsonSchema(
    {"type": "string", "title": "an address that begins with https://"}
)
SalesAddress = Annotated[Address, AfterValidator(_check_sales_address), _ADDRESS_SCHEMA]
ScmAddress = Annotated[Address, AfterValidator(_check_scm_address), _ADDRESS_SCHEMA]


def refuse_controls(value: str) -> str:
    """A path, as it is. Raises ``ValueError`` where a backslash became something else."""
    if any(sign < " " for sign in value):
        raise ValueError(
            "holds a tab or a line end. Between double quotes a backslash is special: write the "
            "path with / or between single quotes"
        )
    return value


PathText = Annotated[str, AfterValidator(refuse_controls)]


def _check_variable(value: str) -> str:
    if _VARIABLE.fullmatch(value) is None:
        raise ValueError(
            "must be the name of an environment variable, as in P2C_CLIENT_SECRET: letters, digits "
            "and underscores. Put the secret itself into that variable"
        )
    return value


Variable = Annotated[
    str,
    AfterValidator(_check_variable),
    WithJsonSchema(
        {
            "type": "string",
            "title": "the name of an environment variable",
            "pattern": f"^(?:{_VARIABLE.pattern})?$",
        }
    ),
]


def hide_unusual(variable: str) -> str:
    """The name of an environment variable for a message, or ``…``.

    A secret that was pasted in place of a name can have the form of a name, too. So only names as
    people write them are shown: capital words, joined by underscores.
    """
    usual = _USUAL.fullmatch(variable) is not None and len(variable) <= _LONGEST
    return variable if usual else "…"


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, given: object) -> object:
        return (
            {key: one for key, one in given.items() if one != "" or key not in cls.model_fields}
            if isinstance(given, dict)
            else given
        )


class AuthSettings(_Section):
    """How p2c logs in.

    No secret stands here: a setting names the environment variable that has it.
    """

    kind: Kind = Field(
        description=(
            'An app registration logs in with a "client_secret" or a "certificate". Others are '
            '"managed_identity" (on Azure), "azure_cli" (whoever did `az login`) and "token" (an '
            "access token that you have)."
        ),
        examples=["client_secret"],
    )
    tenant: str | None = Field(
        None,
        description="The Microsoft Entra tenant, by name or id.",
        examples=["contoso.onmicrosoft.com"],
    )
    client_id: str | None = Field(
        None,
        description="The id of the app registration, or of a user-assigned managed identity.",
        examples=["00000000-0000-0000-0000-000000000000"],
    )
    secret_env: Variable | None = Field(
        None,
        description="The environment variable that holds the client secret.",
        examples=["P2C_CLIENT_SECRET"],
    )
    certificate: PathText | None = Field(
        None,
        description=(
            "The file of the certificate and its private key, PEM or PFX, relative to the project "
            "file."
        ),
    )
    password_env: Variable | None = Field(
        None,
        description="The environment variable that holds the password of the certificate's file.",
    )
    token_env: Variable | None = Field(
        None, description="The environment variable that holds the access token."
    )
    authority: Address | None = Field(
        None,
        description=(
            "The login service, for other clouds and the sandbox. If it is not set, it is "
            "https://login.microsoftonline.com."
        ),
    )
    scope: str | None = Field(
        None,
        description=(
            "The scope of the token. If it is not set, it is the system's url + /.default; of an "
            "object store, https://storage.azure.com/.default."
        ),
    )
    ca_file: PathText | None = Field(
        None,
        description=(
            "A PEM file of certificates to trust in addition to those of the machine, relative to "
            "the project file. For a network with a certificate authority of its own."
        ),
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        missing = [name for name in NEEDS[self.kind] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"kind '{self.kind}' needs {', '.join(missing)}")
        known = {*EVERY, *NEEDS[self.kind], *TAKES[self.kind]}
        unused = [
            name
            for name in sorted(self.model_fields_set)
            if getattr(self, name) is not None and name not in known
        ]
        if unused:
            raise ValueError(f"kind '{self.kind}' does not use {', '.join(unused)}")
        return self


class SystemSettings(_Section):
    """One system: its address, how to log in, and how many requests go there at the same time.

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
