"""The uploader against Azurite, Microsoft's own stand-in for Blob storage.

Put, put again, read back, refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import BlobClient, BlobSasPermissions, generate_blob_sas

from pipeline.cli.app import main
from pipeline.errors import P2cError
from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from pipeline.wire.scm import Scm
from tests.scenes.azurite import ACCOUNT, KEY, NEEDS_AZURITE, create_container, run_azurite
from tests.scenes.small import write_small

pytestmark = NEEDS_AZURITE


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite's address, with a container ``dmf`` in it."""
    with run_azurite(tmp_path_factory.mktemp("azurite")) as url:
        create_container(url, "dmf")
        yield url


def signed(
    storage: str, name: str, *, lasts: timedelta = timedelta(minutes=5), write: bool = True
) -> str:
    """A URL as GetAzureWriteUrl gives them."""
    rights = BlobSasPermissions(read=True, write=write, create=write)
    until = datetime.now(UTC) + lasts
    sas = generate_blob_sas(
        ACCOUNT,
        "dmf",
        name,
        account_key=KEY,
        permission=rights,
        expiry=until,
        start=until - timedelta(days=1),
    )
    return f"{storage}/dmf/{name}?{sas}"


@contextmanager
def scm(folder: Path) -> Iterator[Scm]:
    """The product's own client, as a project makes it."""
    text = (
        '[source]\npath = "."\n[destination]\nload = "packages"\nlegal_entity = '
        '"usmf"\ncurrency = "EUR"\nurl = "http://localhost:1"\n'
    )
    project = write_small(
        folder, text + '[destination.auth]\nkind = "token"\ntoken_env = "NO_TOKEN"\n'
    )
    with connect_scm(load_project(project), environment={"NO_TOKEN": "x"}) as found:
        yield found


def test_a_package_arrives_byte_for_byte_and_twice_does_no_harm(
    storage: str, tmp_path: Path
) -> None:
    source = write_small(tmp_path)
    assert main(["run", "--project", str(source), "--runs", str(tmp_path / "runs"), "--json"]) == 1
    packages = sorted((tmp_path / "runs").glob("*/packages/*/*.zip"))
    assert packages
    with scm(tmp_path / "scm") as found:
        for number, path in enumerate(packages):
            url = signed(storage, f"package-{number}.zip")
            for _ in range(2):
                found.upload(url, path.read_bytes())
            assert found.download(url) == path.read_bytes()
            with BlobClient.from_blob_url(url) as theirs:
                assert theirs.download_blob().readall() == path.read_bytes()
                reported = theirs.get_blob_properties()
                assert (reported.blob_type, reported.content_settings.content_type) == (
                    "BlockBlob",
                    "application/zip",
                )


def test_a_large_package_goes_in_one_piece(storage: str, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 64
    with scm(tmp_path) as found:
        url = signed(storage, "large.zip")
        found.upload(url, content)
        assert found.download(url) == content


@pytest.mark.parametrize("how", ["expired", "not for writing", "signed by somebody else"])
def test_a_url_that_is_not_good_is_refused_and_its_signature_stays_secret(
    storage: str, tmp_path: Path, how: str
) -> None:
    url = signed(
        storage,
        "x.zip",
        lasts=timedelta(minutes=-5) if how == "expired" else timedelta(minutes=5),
        write=how != "not for writing",
    )
    if how == "signed by somebody else":
        url = url.replace("sig=", "sig=AAAA")
    with scm(tmp_path) as found, pytest.raises(P2cError) as stopped:
        found.upload(url, b"x")
    reported = f"{stopped.value.where}: {stopped.value}"
    assert "Blob storage" in reported
    assert url.partition("sig=")[2] not in reported
    assert "403" in reported
