"""Stores and what stands before them may answer anything: nothing of it passes for a whole file."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

import pytest
from obstore.store import S3Store

from pipeline.errors import AnswerUnreadable, Stopped, Unreachable
from pipeline.wire.store.opening import StorePatience, open_location
from pipeline.wire.store.path import Store, StorePath
from tests.scenes.stores import locate

URL: Final = "s3://exports/sales"
PAGE: Final = "<!doctype html><html><body>Sign in</body></html>"
PATIENCE: Final = StorePatience(
    timeout=timedelta(seconds=2), retries=0, together=timedelta(seconds=1)
)


def render_list(size: int = 10, *, more: str = "false", name: str = "contacts.csv") -> str:
    """What S3 says of a folder with one file and one folder."""
    return (
        '<?xml version="1.0"?><ListBucketResult><Name>exports</Name><Prefix>sales/</Prefix>'
        f"<IsTruncated>{more}</IsTruncated><Contents><Key>sales/{name}</Key><LastModified>"
        f'2026-01-01T00:00:00.000Z</LastModified><ETag>"1"</ETag><Size>{size}</Size></Contents>'
        "<CommonPrefixes><Prefix>sales/accounts/</Prefix></CommonPrefixes></ListBucketResult>"
    )


class HostileStore(BaseHTTPRequestHandler):
    """One file of ten bytes, and answers that are told to it."""

    lists: ClassVar[Iterator[str]]
    headers_of_file: ClassVar[dict[str, str]] = {}
    file: ClassVar[bytes] = b"0123456789"
    status: ClassVar[int] = 206
    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        if "list-type" in self.path:
            self._send(200, next(self.lists).encode(), {"Content-Type": "application/xml"})
            return
        usual = {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        self._send(self.status, self.file, {**usual, **self.headers_of_file})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HostileStore)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def open_store(
    address: str, lists: Iterator[str] | list[str], *, status: int = 206, **answer: Any
) -> StorePath:
    """The folder, of which the store gives these lists and this file."""
    HostileStore.lists, HostileStore.status, HostileStore.asked = iter(lists), status, 0
    HostileStore.file = answer.pop("file", b"0123456789")
    HostileStore.headers_of_file = {"Content-Range": "bytes 0-9/10", **answer.pop("headers", {})}
    environment = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
    }
    return open_location(locate(URL), environment=environment, patience=PATIENCE)


def test_a_whole_file_is_read(address: str) -> None:
    assert (open_store(address, [render_list()]) / "contacts.csv").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("kind", "size", "answer"),
    [
        (AnswerUnreadable, 10, {"file": b"01234"}),
        (AnswerUnreadable, 10, {"file": b"0123456789abc"}),
        (Stopped, 5, {"file": b"01234", "headers": {"Content-Range": "bytes 0-4/10"}}),
        (Stopped, 1000, {}),
        (Stopped, 10, {"headers": {"ETag": '"2"'}}),
        (Unreachable, 10, {"headers": {"Content-Range": "bytes 5-14/20"}}),
        (Unreachable, 10, {"status": 200, "file": PAGE.encode()}),
        (Unreachable, 10, {"headers": {"Content-Length": "99"}}),
    ],
    ids=["short", "long", "grown", "shrunk", "other etag", "other range", "page", "cut"],
)
def test_a_file_that_is_not_the_one_that_was_asked_for_is_not_read(
    address: str, kind: type[Stopped], size: int, answer: dict[str, Any]
) -> None:
    with pytest.raises(kind, match=r"^s3://exports/sales/contacts\.csv: ") as caught:
        (open_store(address, [render_list(size)], **answer) / "contacts.csv").read_bytes()
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "text",
    ["", '{"a": 1}', render_list()[:150], render_list(-5), render_list(name="../../etc/passwd")],
    ids=["nothing", "json", "cut", "negative", "outside"],
)
def test_a_list_that_is_none_is_not_believed(address: str, text: str) -> None:
    with pytest.raises(Unreachable, match=r"^s3://exports/sales"):
        list(open_store(address, [text]).iterdir())


def test_a_page_in_the_place_of_a_list_is_no_empty_folder(address: str) -> None:
    folder = open_store(address, [render_list(), PAGE, PAGE])
    assert sorted(one.name for one in folder.iterdir()) == ["accounts", "contacts.csv"]
    for _ in range(2):
        with pytest.raises(AnswerUnreadable, match=r"^s3://exports/sales/accounts: lists nothing"):
            list((folder / "accounts").iterdir())


def test_a_list_without_end_is_not_waited_for(address: str) -> None:
    more = "true</IsTruncated><NextContinuationToken>x</NextContinuationToken><IsTruncated>true"
    open_store(address, itertools.repeat(render_list(more=more)))
    client = S3Store(
        "exports",
        config={
            "endpoint": address, "access_key_id": "a", "secret_access_key": "b",
            "region": "us-east-1",
        },
        client_options={"allow_http": True},
    )  # fmt: skip
    store = Store(client, locate(URL), longest=0.3)
    with pytest.raises(Unreachable, match=r"did not end the list of this folder within 0\.3 s"):
        store.list_folder("sales")
    assert HostileStore.asked > 1
