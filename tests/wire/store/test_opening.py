"""An address and a login make a folder, or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import AzureStore

from pipeline.errors import ConfigurationError
from pipeline.wire.login.settings import AuthSettings
from pipeline.wire.store.opening import open_location
from tests.scenes.stores import locate

ONELAKE = "abfss://work@onelake.dfs.fabric.microsoft.com/lake.Lakehouse/Tables"
TOKEN = AuthSettings(kind="token", token_env="TOKEN")  # noqa: S106
KEY = {"AZURE_STORAGE_ACCOUNT_KEY": "a2V5", "AZURE_STORAGE_ACCOUNT_NAME": "contoso"}


@pytest.mark.parametrize(
    ("url", "auth", "environment"),
    [
        (ONELAKE, TOKEN, {"TOKEN": "x"}),
        ("az://exports/sales", None, KEY),
        (
            "az://exports",
            None,
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=a2V5"},
        ),
        ("s3://exports/sales", None, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}),
        ("s3://exports", None, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
        ("gs://exports/sales", None, {}),
    ],
)
def test_nothing_is_asked_before_something_is_read(
    url: str, auth: AuthSettings | None, environment: dict[str, str], tmp_path: Path
) -> None:
    found = open_location(locate(url), auth, environment={"HOME": str(tmp_path), **environment})
    assert str(found) == url


@pytest.mark.parametrize(
    ("url", "auth", "environment", "sentence"),
    [
        ("az://exports/sales", None, {}, "^az://exports: does not name the storage account"),
        (
            "abfss://exports@contoso.dfs.core.windows.net",
            None,
            {},
            r"there is no login for it\. Add \[source\.auth\]",
        ),
        (ONELAKE, TOKEN, {}, "^auth.token_env: the environment variable TOKEN is not set"),
        (
            "az://exports",
            None,
            {**KEY, "AZURE_STORAGE_ENDPOINT": "http://example.com"},
            "^the endpoint in the environment: is plain http",
        ),
        ("s3://exports", None, {"AWS_ENDPOINT_URL": "http://example.com"}, "is plain http"),
        (
            "az://exports",
            None,
            {**KEY, "AZURE_STORAGE_ACCOUNT_KEY": "secret!"},
            "^az://exports: cannot be opened: a variable of the environment",
        ),
    ],
)
def test_what_is_missing_is_said(
    url: str,
    auth: AuthSettings | None,
    environment: dict[str, str],
    sentence: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        open_location(locate(url), auth, environment={"HOME": str(tmp_path), **environment})
    assert "secret" not in str(refused.value)


def test_the_account_of_the_address_ranks_before_that_of_the_environment() -> None:
    environment = {**KEY, "AZURE_STORAGE_ENDPOINT": "http://example.com"}
    found = open_location(
        locate("abfss://exports@fabrikam.dfs.core.windows.net"), environment=environment
    )
    client = found.store._client
    assert isinstance(client, AzureStore)
    assert client.config["account_name"] == "fabrikam"
    assert client.config["endpoint"] == "https://fabrikam.blob.core.windows.net"


def test_a_certificate_file_that_is_missing_is_named(tmp_path: Path) -> None:
    auth = TOKEN.model_copy(update={"ca_file": "ca.pem"})
    with pytest.raises(ConfigurationError, match=r"^auth\.ca_file: there is no file .*ca\.pem"):
        open_location(locate(ONELAKE), auth, environment={"TOKEN": "x"}, folder=tmp_path)
