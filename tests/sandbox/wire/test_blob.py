from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient
from starlette.applications import Starlette

from pipeline.sandbox.wire.blob import BlobError, BlobStore
from pipeline.sandbox.wire.blob_routes import make_blob_routes

BLOCK = {"x-ms-blob-type": "BlockBlob"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> BlobStore:
    return BlobStore(clock, seconds=7 * 86400)


def ask(store: BlobStore, method: str, url: str, **more: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=Starlette(routes=make_blob_routes(store)))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, **more)

    return asyncio.run(send())


def signed(
    store: BlobStore, name: str = "package.zip", *, rights: str = "rcw", seconds: float = 60
) -> str:
    return store.url("http://scm.test", name, rights=rights, seconds=seconds)


def code_of(response: httpx.Response) -> str:
    assert f"<Code>{response.headers['x-ms-error-code']}</Code>" in response.text
    return str(response.headers["x-ms-error-code"])


def test_what_is_put_comes_back(store: BlobStore) -> None:
    url = signed(store)
    put = ask(
        store, "PUT", url, content=b"PK", headers={**BLOCK, "Content-Type": "application/zip"}
    )
    assert (put.status_code, put.content) == (201, b"")
    got = ask(store, "GET", url)
    assert (got.status_code, got.content, got.headers["content-type"]) == (
        200,
        b"PK",
        "application/zip",
    )
    assert got.headers["etag"] == put.headers["etag"]
    assert store.fetch(url) == store.read("package.zip") == b"PK"


def test_the_url_is_that_of_the_documentation_under_another_host(store: BlobStore) -> None:
    url = signed(store, "run 1/Kunden ß.zip")
    assert url.startswith("http://scm.test/p2csandbox/dmf/run%201/Kunden%20%C3%9F.zip?sv=")
    assert ask(store, "PUT", url, content=b"x", headers=BLOCK).status_code == 201


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda url: url.partition("?")[0], 401, "NoAuthenticationInformation"),
        (lambda url: url.replace("package", "another"), 403, "AuthenticationFailed"),
        (lambda url: url.replace("sp=rcw", "sp=rcwd"), 403, "AuthenticationFailed"),
        (lambda url: url.replace("/dmf/", "/other/"), 404, None),
    ],
)
def test_a_url_that_was_changed_lets_nobody_in(
    store: BlobStore, change: Any, status: int, code: str | None
) -> None:
    response = ask(store, "PUT", change(signed(store)), content=b"x", headers=BLOCK)
    assert response.status_code == status
    assert response.headers.get("x-ms-error-code") == code


def test_a_url_ends(store: BlobStore, clock: Clock) -> None:
    url = signed(store, seconds=60)
    clock.now += 61
    response = ask(store, "PUT", url, content=b"x", headers=BLOCK)
    assert (response.status_code, code_of(response)) == (403, "AuthenticationFailed")


def test_a_url_for_reading_does_not_write(store: BlobStore) -> None:
    response = ask(store, "PUT", signed(store, rights="r"), content=b"x", headers=BLOCK)
    assert (response.status_code, code_of(response)) == (403, "AuthorizationPermissionMismatch")
    assert ask(store, "DELETE", signed(store, rights="rcw")).status_code == 403


def test_a_bearer_token_is_out_of_place(store: BlobStore) -> None:
    response = ask(
        store,
        "PUT",
        signed(store),
        content=b"x",
        headers={**BLOCK, "Authorization": "Bearer secret"},
    )
    assert (response.status_code, code_of(response)) == (400, "InvalidAuthenticationInfo")
    assert store.read("package.zip") is None


def test_the_blob_type_is_mandatory(store: BlobStore) -> None:
    response = ask(store, "PUT", signed(store), content=b"x")
    assert (response.status_code, code_of(response)) == (400, "MissingRequiredHeader")


def test_a_wrong_hash_is_refused(store: BlobStore) -> None:
    right = base64.b64encode(hashlib.md5(b"x", usedforsecurity=False).digest()).decode()
    wrong = ask(store, "PUT", signed(store), content=b"y", headers={**BLOCK, "Content-MD5": right})
    assert (wrong.status_code, code_of(wrong)) == (400, "Md5Mismatch")
    assert (
        ask(
            store, "PUT", signed(store), content=b"x", headers={**BLOCK, "Content-MD5": right}
        ).status_code
        == 201
    )


def test_a_blob_can_be_protected_from_being_written_over(store: BlobStore) -> None:
    headers = {**BLOCK, "If-None-Match": "*"}
    assert ask(store, "PUT", signed(store), content=b"x", headers=headers).status_code == 201
    again = ask(store, "PUT", signed(store), content=b"y", headers=headers)
    assert (again.status_code, code_of(again)) == (409, "BlobAlreadyExists")
    assert store.read("package.zip") == b"x"


def test_blocks_become_a_blob_in_the_order_of_their_list(store: BlobStore) -> None:
    url = signed(store)
    for block, content in (("QQ==", b"one"), ("Qg==", b"two"), ("Qw==", b"three")):
        put = ask(
            store,
            "PUT",
            url,
            params={**params(url), "comp": "block", "blockid": block},
            content=content,
        )
        assert put.status_code == 201
    assert ask(store, "GET", url).status_code == 404
    listed = "<BlockList><Latest>Qw==</Latest><Uncommitted>QQ==</Uncommitted></BlockList>"
    assert (
        ask(
            store, "PUT", url, params={**params(url), "comp": "blocklist"}, content=listed
        ).status_code
        == 201
    )
    assert ask(store, "GET", url).content == b"threeone"


def test_a_list_of_blocks_that_are_not_there_is_refused(store: BlobStore) -> None:
    url = signed(store)
    body = "<BlockList><Latest>QQ==</Latest></BlockList>"
    response = ask(store, "PUT", url, params={**params(url), "comp": "blocklist"}, content=body)
    assert (response.status_code, code_of(response)) == (400, "InvalidBlockList")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [("bytes=2-4", 206, b"cde"), ("bytes=4-", 206, b"ef"), ("bytes=9-", 416, None)],
)
def test_ranges_are_read(store: BlobStore, asked: str, status: int, content: bytes | None) -> None:
    store.put("package.zip", b"abcdef")
    response = ask(store, "GET", signed(store), headers={"Range": asked})
    assert response.status_code == status
    if content is None:
        assert code_of(response) == "InvalidRange"
    else:
        assert response.content == content


def test_blobs_go_away_after_a_week(store: BlobStore, clock: Clock) -> None:
    store.put("package.zip", b"x")
    url = signed(store, seconds=30 * 86400)
    clock.now += 7 * 86400 + 1
    assert ask(store, "GET", url).status_code == 404
    with pytest.raises(BlobError, match="does not exist"):
        store.fetch(url)


def params(url: str) -> dict[str, str]:
    return dict(httpx.URL(url).params)


@pytest.fixture
def served(store: BlobStore, clock: Clock) -> Iterator[str]:
    """The store on a port of this machine, for clients that cannot be given a transport."""
    clock.now = time.time()
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=make_blob_routes(store)), port=0, log_level="error", lifespan="off"
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def test_azures_own_client_uploads_in_one_piece_and_in_blocks(
    store: BlobStore, served: str
) -> None:
    content = bytes(range(256)) * 4096
    url = store.url(served, "package.zip", rights="rcwd", seconds=600)
    with BlobClient.from_blob_url(url) as one:
        one.upload_blob(content, overwrite=True)
        assert store.read("package.zip") == content
        with pytest.raises(HttpResponseError, match="BlobAlreadyExists"):
            one.upload_blob(b"other")
        assert one.get_blob_properties().size == len(content)
        assert one.download_blob().readall() == content
    with BlobClient.from_blob_url(
        url, max_single_put_size=100_000, max_block_size=200_000
    ) as blocks:
        blocks.upload_blob(content[::-1], overwrite=True, max_concurrency=2)
        assert store.read("package.zip") == content[::-1]
        blocks.stage_block("AAAA", b"last")
        committed, waiting = blocks.get_block_list("all")
        assert (len(committed), [block.size for block in waiting]) == (6, [4])
        blocks.commit_block_list([BlobBlock(block_id="AAAA")])
        assert store.read("package.zip") == b"last"
        blocks.delete_blob()
        with pytest.raises(ResourceNotFoundError):
            blocks.download_blob()
