"""Plans whose source is in an object store: Azurite for Azure storage, moto for S3."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Final

import httpx
import jwt
import obstore
import polars as pl
import pytest
import trustme
from moto.server import ThreadedMotoServer
from obstore.store import AzureStore, ObjectStore, S3Store

from pipeline.backfill.planning import make_backfill
from pipeline.commands.options import read_clock
from pipeline.errors import Stopped, Unreachable
from pipeline.events import report_nothing
from pipeline.plan.request import PlanRequest
from pipeline.project.resolve import load_project
from pipeline.project.systems import open_source
from pipeline.run.facts import RunFacts
from pipeline.run.folder import RunFolder, find_run
from pipeline.wire.store.opening import StorePatience, open_location
from tests.scenes.azurite import ACCOUNT, KEY, NEEDS_AZURITE, create_container, run_azurite
from tests.scenes.command_line import P2c, p2c
from tests.scenes.small import rows, write_small
from tests.scenes.stores import locate

__all__ = ["p2c"]

FLAGS: Final = (
    "--set",
    "destination.legal_entity=usmf",
    "--set",
    "destination.currency=EUR",
    "--set",
    "destination.country=DE",
)
AWS: Final = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small source as a folder."""
    return write_small(tmp_path_factory.mktemp("small")).parent


def fill(store: ObjectStore, small: Path) -> None:
    """The small source as CSV in ``csv`` and as Parquet in ``parquet``."""
    for path in small.glob("*.csv"):
        obstore.put(store, f"csv/{path.name}", path.read_bytes())
        table = small / f"{path.stem}.table"
        pl.read_csv(path, infer_schema=False).write_parquet(table)
        obstore.put(store, f"parquet/{path.stem}/part-0.parquet", table.read_bytes())


@pytest.fixture(scope="module")
def s3(small: Path) -> Iterator[tuple[str, S3Store]]:
    """The address of S3, and its bucket ``exports`` with the small source."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        httpx.put(f"{url}/exports").raise_for_status()
        store = S3Store(
            "exports",
            endpoint=url,
            access_key_id="key",
            secret_access_key="secret",  # noqa: S106 - moto takes any
            region="eu-central-1",
            client_options={"allow_http": True},
        )
        fill(store, small)
        yield url, store
    finally:
        server.stop()


@pytest.fixture
def aws(s3: tuple[str, S3Store], monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The environment of somebody who is logged in to S3."""
    url, store = s3
    for name, value in {**AWS, "AWS_ENDPOINT_URL": url}.items():
        monkeypatch.setenv(name, value)
    return store


def find_facts(folder: Path) -> tuple[RunFolder, RunFacts]:
    run = find_run(folder / "runs", "latest")
    return run, run.facts()


def decide(run: RunFolder) -> list[tuple[str, ...]]:
    return sorted(pl.read_parquet(run.decisions).select("contactid", "decision", "reason").rows())


@pytest.fixture
def expected(p2c: P2c, small: Path, tmp_path: Path) -> list[tuple[str, ...]]:
    """What is decided when the same files are read from a folder."""
    assert p2c("plan", "--source", small, "--runs", tmp_path / "local" / "runs", *FLAGS).code == 1
    found = decide(find_facts(tmp_path / "local")[0])
    assert len(found) == len(rows())
    return found


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_plan_from_s3_is_the_plan_from_the_folder(
    p2c: P2c, form: str, tmp_path: Path, expected: list[tuple[str, ...]]
) -> None:
    assert "table contacts: 11 rows" in p2c("check", "--source", f"s3://exports/{form}/").out
    assert p2c("plan", "--source", f"s3://exports/{form}/", *FLAGS).code == 1
    run, facts = find_facts(tmp_path)
    assert decide(run) == expected
    assert facts.text("source.path") == f"s3://exports/{form}/"
    contacts = next(one for one in facts.sources if one.table == "contacts")
    assert contacts.path == f"s3://exports/{form}/{contacts.file}"
    assert contacts.etag.strip('"')
    assert len(contacts.sha256) == (64 if form == "csv" else 0)
    assert not contacts.in_place
    assert p2c("verify", "latest").code == 0
    shown = p2c("explain", rows()[0]["contactid"])
    assert "Number1" in shown.out


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://nowhere/csv", "s3://nowhere: there is no such bucket"),
        ("s3://exports/nowhere", "s3://exports/nowhere: there is no such folder."),
        ("s3://exports/csv/contacts.csv", "contacts.csv: is a file; name the folder"),
        ("s3://exports", "s3://exports: there is no table contacts"),
        ("s3:/exports/csv", "source.path: must have two slashes"),
        ("s3://exports/csv?X-Amz-Signature=c2VjcmV0", "source.path: must not contain ? or #"),
        ("gs:/exports", "source.path: must have two slashes"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(p2c: P2c, url: str, sentence: str) -> None:
    answer = p2c("plan", "--source", url, *FLAGS)
    assert answer.code == 2
    assert sentence in answer.err
    assert "c2VjcmV0" not in answer.err


@pytest.mark.usefixtures("aws")
def test_a_login_that_s3_does_not_need_is_refused(p2c: P2c, tmp_path: Path) -> None:
    project = tmp_path / "p2c.toml"
    project.write_text('[source]\npath = "s3://exports/csv"\n[source.auth]\nkind = "azure_cli"\n')
    answer = p2c("check")
    assert answer.code == 2
    assert "[source.auth] does not log in to S3: leave it out" in answer.err


@pytest.mark.usefixtures("aws")
def test_a_correction_needs_a_folder_of_this_machine(p2c: P2c, tmp_path: Path) -> None:
    assert p2c("plan", "--source", "s3://exports/csv", *FLAGS).code == 1
    (tmp_path / "corrected.csv").write_text("contactid\n")
    answer = p2c("retry", "latest", "--corrected", tmp_path / "corrected.csv")
    assert answer.code == 2
    assert "source.path is in an object store here. Copy the exports into a folder" in answer.err
    assert p2c("retry", "latest").code == 1


@pytest.mark.usefixtures("aws")
def test_a_backfill_reads_a_store_too(tmp_path: Path) -> None:
    project = load_project(None, source="s3://exports/csv")
    request = PlanRequest(command="backfill")
    run = make_backfill(project, request, tmp_path, read_clock, report_nothing)
    assert [one.path for one in run.facts().sources] == [
        "s3://exports/csv/contacts.csv",
        "s3://exports/csv/accounts.csv",
    ]


def test_a_network_that_is_gone_stops_the_plan(p2c: P2c, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    answer = p2c("plan", "--source", "s3://exports/csv", *FLAGS)
    assert answer.code == 3
    assert "s3://exports/csv: cannot be reached. Check the address and the network." in answer.err


@pytest.fixture
def busy() -> Iterator[str]:
    """The address of a store that always asks to wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    here, _ = server.accept()
                except OSError:
                    return
                with here:
                    here.recv(65536)
                    here.sendall(
                        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 36\r\nConnection: close\r\n\r\n"
                        b"<Error><Code>SlowDown</Code></Error>"
                    )

        Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_store_that_asks_to_wait_stops_the_plan(
    p2c: P2c, busy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**AWS, "AWS_ENDPOINT_URL": busy}.items():
        monkeypatch.setenv(name, value)
    answer = p2c("plan", "--source", "s3://exports/csv", *FLAGS)
    assert answer.code == 3
    assert "asks us to wait, longer than we do (HTTP 503, SlowDown)" in answer.err


def test_a_store_that_is_silent_is_not_waited_for_without_end(tmp_path: Path) -> None:
    patience = StorePatience(timeout=timedelta(seconds=1), retries=0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        environment = {**AWS, "AWS_ENDPOINT_URL": address, "HOME": str(tmp_path)}
        folder = open_location(
            locate("s3://exports/csv"), environment=environment, patience=patience
        )
        with pytest.raises(Unreachable, match=r"^s3://exports/csv: cannot be reached"):
            folder.is_dir()


def open_project(text: str, tmp_path: Path) -> Path:
    (tmp_path / "p2c.toml").write_text(text)
    return open_source(load_project(tmp_path / "p2c.toml"))


def refuse_changed(store: ObjectStore, url: str, tmp_path: Path) -> None:
    """A file that is replaced after it was listed is not read."""
    obstore.put(store, "changed/contacts.csv", b"old")
    folder = open_project(f'[source]\npath = "{url}/changed"\n', tmp_path)
    assert (folder / "contacts.csv").is_file()
    obstore.put(store, "changed/contacts.csv", b"new")
    with pytest.raises(Stopped, match=r"/changed/contacts\.csv: changed while p2c was reading it"):
        (folder / "contacts.csv").read_bytes()


def test_a_file_of_s3_that_changes_is_said(aws: S3Store, tmp_path: Path) -> None:
    refuse_changed(aws, "s3://exports", tmp_path)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``ca.pem``, and certificate and key of this machine."""
    folder = tmp_path_factory.mktemp("trust")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return folder


@pytest.fixture(scope="module")
def azure(small: Path, trust: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite over TLS, with OAuth; its container ``exports`` has the small source."""
    options = [
        *("--oauth", "basic", "--cert", str(trust / "cert.pem"), "--key", str(trust / "key.pem")),
    ]
    with run_azurite(tmp_path_factory.mktemp("azurite"), options, "https") as url:
        create = AzureStore(
            "exports",
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=url,
            client_options={"root_certificate": (trust / "ca.pem").read_bytes()},
        )
        create_container(url, "exports", ca_file=trust / "ca.pem")
        fill(create, small)
        obstore.put(create, "marked", b"", attributes={"hdi_isfolder": "true"})
        obstore.put(create, "marked/contacts/part.csv", (small / "contacts.csv").read_bytes())
        obstore.put(create, "marked/accounts.csv", (small / "accounts.csv").read_bytes())
        yield url


Entra = Callable[..., str]


@pytest.fixture
def entra(azure: str, trust: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entra:
    """A project that logs in with a token of the given claims; the folder that it reads."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", azure)

    def write(path: str = "az://exports/csv", **claims: object) -> str:
        monkeypatch.setenv("STORE_TOKEN", make_token(claims))
        text = (
            f'[source]\npath = "{path}"\n[source.auth]\nkind = "token"\ntoken_env = "STORE_TOKEN"\n'
            f'ca_file = "{(trust / "ca.pem").as_posix()}"\n'
        )
        (tmp_path / "p2c.toml").write_text(text)
        return text

    return write


def make_token(claims: Mapping[str, object]) -> str:
    """A token as Entra makes them; Azurite does not look at its signature."""
    now = int(time.time())
    usual = {
        "nbf": now - 60,
        "iat": now - 60,
        "exp": now + 3600,
        "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
        "aud": "https://storage.azure.com",
        "ver": "1.0",
        "oid": "23657296-5cd5-45b0-a809-d972a7f4dfe1",
        "tid": "dd0d0df1-06c3-436c-8034-4b9a153097ce",
    }
    return jwt.encode({**usual, **claims}, "x" * 32, algorithm="HS256")


@NEEDS_AZURITE
@pytest.mark.parametrize("form", ["csv", "parquet", "marked"])
def test_a_plan_from_azure_is_the_plan_from_the_folder(
    p2c: P2c, entra: Entra, form: str, tmp_path: Path, expected: list[tuple[str, ...]]
) -> None:
    entra(f"az://exports/{form}")
    assert p2c("plan", *FLAGS).code == 1
    run, facts = find_facts(tmp_path)
    assert decide(run) == expected
    assert facts.sources[0].path.startswith(f"az://exports/{form}/contacts")
    assert facts.sources[0].etag


@NEEDS_AZURITE
def test_a_login_of_the_project_ranks_before_a_key_of_the_environment(
    p2c: P2c, entra: Entra, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra()
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "d3Jvbmc=")
    assert "table contacts: 11 rows" in p2c("check", *FLAGS).out


@NEEDS_AZURITE
@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"exp": 1}, "The access token in the variable STORE_TOKEN expired at 1970-01-01 00:00"),
        (
            {"aud": "https://contoso.crm4.dynamics.com"},
            "az://exports: does not accept our login (HTTP 403, AuthenticationFailed)",
        ),
    ],
)
def test_a_token_that_is_not_good_is_refused(
    p2c: P2c, entra: Entra, claims: dict[str, object], sentence: str
) -> None:
    entra(**claims)
    answer = p2c("plan", *FLAGS)
    assert answer.code == 2
    assert sentence in answer.err


@NEEDS_AZURITE
def test_a_container_that_is_not_there_is_named(p2c: P2c, entra: Entra) -> None:
    entra("az://nowhere/csv")
    answer = p2c("plan", *FLAGS)
    assert answer.code == 2
    assert "az://nowhere: there is no such container" in answer.err


@NEEDS_AZURITE
def test_a_certificate_that_nobody_vouches_for_stops_the_plan(
    p2c: P2c, entra: Entra, tmp_path: Path
) -> None:
    text = entra()
    (tmp_path / "p2c.toml").write_text(text.partition("ca_file")[0])
    answer = p2c("plan", *FLAGS)
    assert answer.code == 3
    assert "az://exports: shows a certificate that does not verify" in answer.err


@NEEDS_AZURITE
def test_a_file_of_azure_that_changes_is_said(
    azure: str, entra: Entra, trust: Path, tmp_path: Path
) -> None:
    text = entra("az://exports/changed")
    store = AzureStore(
        "exports",
        account_name=ACCOUNT,
        account_key=KEY,
        endpoint=azure,
        client_options={"root_certificate": (trust / "ca.pem").read_bytes()},
    )
    obstore.put(store, "changed/contacts.csv", b"old")
    folder = open_project(text, tmp_path)
    assert (folder / "contacts.csv").is_file()
    obstore.put(store, "changed/contacts.csv", b"new")
    with pytest.raises(Stopped, match=r"/changed/contacts\.csv: changed while p2c was reading it"):
        (folder / "contacts.csv").read_bytes()


@NEEDS_AZURITE
@pytest.mark.parametrize("how", ["key", "connection string", "wrong key", "wrong SAS token"])
def test_a_login_of_the_environment_is_taken(
    p2c: P2c, small: Path, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_azurite(tmp_path / "azurite") as url:
        create_container(url, "exports")
        store = AzureStore(
            "exports",
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=url,
            client_options={"allow_http": True},
        )
        fill(store, small)
        connection = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={url}"
        account = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ENDPOINT": url}
        environment = {
            "key": {**account, "AZURE_STORAGE_ACCOUNT_KEY": KEY},
            "connection string": {"AZURE_STORAGE_CONNECTION_STRING": connection},
            "wrong key": {**account, "AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmc="},
            "wrong SAS token": {**account, "AZURE_STORAGE_SAS_TOKEN": "sv=2020&sig=c2VjcmV0"},
        }[how]
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        answer = p2c("check", "--source", "az://exports/csv", *FLAGS)
    assert (answer.code == 2) == ("wrong" in how)
    assert ("table contacts: 11 rows" in answer.out) == ("wrong" not in how)
    assert "c2VjcmV0" not in answer.out + answer.err
