"""The uploader against Azurite, Microsoft's own stand-in for Blob storage.

Put, put again, read back, refused.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas

from pipeline.cli.app import main
from pipeline.errors import P2cError
from pipeline.project.resolve import load_project
from pipeline.project.systems import connect_scm
from pipeline.wire.scm import Scm
from tests.scenes.small import write_small

AZURITE: Final = os.environ.get("AZURITE") or shutil.which("azurite-blob")

pytestmark = pytest.mark.skipif(
    AZURITE is None,
    reason="needs azurite-blob, of npm's package azurite, on the path or in AZURITE",
)

ACCOUNT: Final = "devstoreaccount1"
KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""Of Azurite's own account, the same everywhere: no secret."""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite's address, with a container ``dmf`` in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = tmp_path_factory.mktemp("azurite")
    options = [
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(port),
        "--location",
        str(place),
        "--silent",
        "--skipApiVersionCheck",
    ]
    url = f"http://127.0.0.1:{port}/{ACCOUNT}"
    with subprocess.Popen(
        [str(AZURITE), *options, "--disableTelemetry"], stdout=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(port)
            with BlobServiceClient(url, credential=KEY) as service:
                service.create_container("dmf")
            yield url
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("Azurite does not answer")


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
