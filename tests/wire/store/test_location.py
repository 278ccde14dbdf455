"""Addresses of folders in object stores."""

from __future__ import annotations

import pytest

from pipeline.wire.store.location import Provider, is_store_url, parse_location
from tests.scenes.stores import locate


@pytest.mark.parametrize(
    ("text", "provider", "container", "path", "endpoint"),
    [
        (
            "abfss://exports@contoso.dfs.core.windows.net/sales/today/",
            Provider.AZURE,
            "exports",
            "sales/today",
            "https://contoso.blob.core.windows.net",
        ),
        (
            "abfss://Sales%20Team@onelake.dfs.fabric.microsoft.com/Lake.Lakehouse/Tables",
            Provider.AZURE,
            "Sales Team",
            "Lake.Lakehouse/Tables",
            "https://onelake.blob.fabric.microsoft.com",
        ),
        (
            "https://contoso.blob.core.windows.net/exports/a%20b",
            Provider.AZURE,
            "exports",
            "a b",
            "https://contoso.blob.core.windows.net",
        ),
        (
            "https://onelake.dfs.fabric.microsoft.com/sales/lake.Lakehouse/Files",
            Provider.AZURE,
            "sales",
            "lake.Lakehouse/Files",
            "https://onelake.blob.fabric.microsoft.com",
        ),
        (
            "wasbs://exports@contoso.blob.core.chinacloudapi.cn",
            Provider.AZURE,
            "exports",
            "",
            "https://contoso.blob.core.chinacloudapi.cn",
        ),
        ("az://exports/sales", Provider.AZURE, "exports", "sales", None),
        ("AZ://exports", Provider.AZURE, "exports", "", None),
        ("s3://exports//sales/", Provider.S3, "exports", "sales", None),
        ("s3a://exports/müller 100%", Provider.S3, "exports", "müller 100%", None),
        ("gs://exports/sales", Provider.GOOGLE, "exports", "sales", None),
    ],
)
def test_an_address_says_where_the_folder_is(
    text: str, provider: Provider, container: str, path: str, endpoint: str | None
) -> None:
    found = locate(text)
    assert (found.provider, found.container, found.path) == (provider, container, path)
    assert found.endpoint == endpoint


def test_the_account_is_the_first_part_of_the_host() -> None:
    found = locate("abfss://exports@contoso.dfs.core.windows.net/sales")
    assert found.account == "contoso"
    assert found.url == "abfss://exports@contoso.dfs.core.windows.net/sales"


@pytest.mark.parametrize("text", ["export", "../a b", "C:\\exports", "C:/exports", "/a//b", "."])
def test_a_path_of_this_machine_is_no_address(text: str) -> None:
    assert parse_location(text) is None
    assert not is_store_url(text)


HIDDEN = "c2VjcmV0IGtleQ"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"https://contoso.blob.core.windows.net/exports?sig={HIDDEN}",
            "must not contain [?] or #",
        ),
        (f"az://exports/sales?sv=1&sig={HIDDEN}", "must not contain [?] or #"),
        (f"s3://key:{HIDDEN}@exports/sales", "must not contain a password, a key or a port"),
        (f"s3://{HIDDEN}@exports/sales", "must name a bucket"),
        (
            f"https://{HIDDEN}@contoso.blob.core.windows.net/exports",
            "must not contain a user",
        ),
        ("az:/exports/sales", "must have two slashes"),
        ("s3:/exports", "must have two slashes"),
        ("file:///exports", "must be a plain path"),
        ("sftp://host/exports", "must be a folder of this machine, or .*; not sftp://"),
        ("https://contoso.sharepoint.com/exports", "must name the host of an Azure account"),
        ("abfss://exports@contoso/sales", "must name the host of an Azure account"),
        ("abfss://@contoso.dfs.core.windows.net/sales", "must name a container"),
        ("https://contoso.blob.core.windows.net/", "must name a container"),
        ("az:///sales", "must name a container"),
        ("gs:///sales", "must name a bucket"),
        ("s3://exports/../other", r"must not contain the steps \. or \.\."),
        ("s3://[exports/sales", "must be an address such as"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_and_not_shown(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}") as refused:
        parse_location(text)
    assert HIDDEN not in str(refused.value)
