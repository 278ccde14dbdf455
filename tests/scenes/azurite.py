"""Azurite, Microsoft's own stand-in for Blob storage, for the length of a ``with`` block."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from azure.storage.blob import BlobServiceClient

AZURITE: Final = os.environ.get("AZURITE") or shutil.which("azurite-blob")
NEEDS_AZURITE: Final = pytest.mark.skipif(
    AZURITE is None,
    reason="needs azurite-blob, of npm's package azurite, on the path or in AZURITE",
)

ACCOUNT: Final = "devstoreaccount1"
KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""Of Azurite's own account, the same everywhere: no secret."""


@contextmanager
def run_azurite(place: Path, options: Sequence[str] = (), scheme: str = "http") -> Iterator[str]:
    """The address of the account.

    Args:
        place: where its data go.
        options: further ones of the command line.
        scheme: https, if ``options`` name a certificate.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    usual = (
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        str(port),
        "--location",
        str(place),
        "--silent",
        "--skipApiVersionCheck",
        "--disableTelemetry",
    )
    with subprocess.Popen([str(AZURITE), *usual, *options], stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"{scheme}://127.0.0.1:{port}/{ACCOUNT}"
        finally:
            process.terminate()


def create_container(url: str, name: str, ca_file: Path | None = None) -> None:
    """Make a container of the account."""
    verify = True if ca_file is None else str(ca_file)
    with BlobServiceClient(url, credential=KEY, connection_verify=verify) as service:
        service.create_container(name)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("Azurite does not answer")
