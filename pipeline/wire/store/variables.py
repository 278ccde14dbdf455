"""The variables of an environment by which stores are reached, under their usual names."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigurationError

_AZURE: Final = {
    "account_name": ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"),
    "endpoint": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    "account_key": (
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_KEY",
    ),
    "sas_key": ("AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY"),
    "token": ("AZURE_STORAGE_TOKEN",),
    "tenant_id": ("AZURE_STORAGE_TENANT_ID", "AZURE_TENANT_ID"),
    "client_id": ("AZURE_STORAGE_CLIENT_ID", "AZURE_CLIENT_ID"),
    "client_secret": ("AZURE_STORAGE_CLIENT_SECRET", "AZURE_CLIENT_SECRET"),
    "federated_token_file": ("AZURE_FEDERATED_TOKEN_FILE",),
    "skip_signature": ("AZURE_SKIP_SIGNATURE",),
}
"""Setting of obstore → the variables that mean it; the first that is set counts."""

AZURE_LOGINS: Final = frozenset(
    {"account_key", "sas_key", "token", "client_secret", "federated_token_file", "skip_signature"}
)
"""The settings that are a login."""

_CONNECTION: Final = {
    "accountname": "account_name",
    "accountkey": "account_key",
    "sharedaccesssignature": "sas_key",
    "blobendpoint": "endpoint",
}
"""Part of an Azure connection string → setting of obstore."""

_S3: Final = {
    "access_key_id": ("AWS_ACCESS_KEY_ID",),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "aws_endpoint_url_s3": ("AWS_ENDPOINT_URL_S3",),
}
_PROFILE: Final = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region": "region",
    "endpoint_url": "endpoint",
}
"""Key of a profile → setting of obstore."""

_OTHER_S3_LOGINS: Final = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)


def _read_variables(
    names: Mapping[str, tuple[str, ...]], environment: Mapping[str, str]
) -> dict[str, str]:
    found = {
        setting: next((environment[one] for one in among if environment.get(one)), "")
        for setting, among in names.items()
    }
    return {setting: value for setting, value in found.items() if value}


def list_azure_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings of obstore for Azure; single variables rank before a connection string."""
    connection: dict[str, str] = {}
    for part in environment.get("AZURE_STORAGE_CONNECTION_STRING", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name.lower() in _CONNECTION and value:
            connection[_CONNECTION[name.lower()]] = value
    return connection | _read_variables(_AZURE, environment)


def list_s3_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings of obstore for S3; variables rank before the profile, as AWS's own tools do it.

    Raises:
        ConfigurationError: the profile that AWS_PROFILE names has no keys.
    """
    found = _read_variables(_S3, environment)
    profile = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    if "access_key_id" in found or (
        not profile and any(environment.get(one) for one in _OTHER_S3_LOGINS)
    ):
        return found
    saved = _read_profile(profile or "default", environment)
    if profile and "access_key_id" not in saved:
        raise ConfigurationError(
            f"the profile {profile} holds no keys. For a profile with another login, run `aws "
            "configure export-credentials --format env` and set the variables that it prints.",
            where="AWS_PROFILE",
        )
    return saved | found


def _read_profile(profile: str, environment: Mapping[str, str]) -> dict[str, str]:
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()
    found: dict[str, str] = {}
    for variable, name in (
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ):
        path = Path(environment.get(variable) or home / ".aws" / name)
        parser = configparser.ConfigParser(interpolation=None, default_section="")
        try:
            parser.read_string(path.read_text(encoding="utf-8") if path.is_file() else "")
        except (configparser.Error, UnicodeDecodeError, OSError) as error:
            raise ConfigurationError(
                "cannot be read as a file of AWS profiles.", where=str(path)
            ) from error
        for section in (profile, f"profile {profile}"):
            if parser.has_section(section):
                found |= {
                    _PROFILE[key]: value
                    for key, value in parser.items(section)
                    if key in _PROFILE and value
                }
    return found
