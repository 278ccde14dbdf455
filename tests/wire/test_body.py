"""Bodies are unpacked as they come, and one that would fill the memory is refused."""

from __future__ import annotations

import gzip
import zlib

import httpx
import pytest

from pipeline.errors import AnswerUnreadable
from pipeline.wire.body import LARGEST, read_body
from pipeline.wire.client import make_client
from pipeline.wire.json_body import MalformedError
from tests.fuzz.readers import Answer, answering

TEXT = b'{"value": "' + b"x" * 9_000_000 + b'"}'


def take(body: bytes, packing: str | None, largest: int = LARGEST) -> tuple[bytes, int]:
    headers = () if packing is None else (("Content-Encoding", packing),)
    answer = Answer(headers=headers, body=body).respond(httpx.Request("GET", "https://x"))
    whole, size = read_body(answer, largest)
    return whole.content, size


@pytest.mark.parametrize(
    ("packing", "body"),
    [
        (None, TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT, 1)),
        ("GZIP", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("deflate", zlib.compress(TEXT)),
    ],
)
def test_a_body_is_whole_however_it_was_packed(packing: str | None, body: bytes) -> None:
    assert take(body, packing) == (TEXT, len(body))


@pytest.mark.parametrize(
    ("packing", "body", "words"),
    [
        ("gzip", gzip.compress(TEXT)[:-9], "cut"),
        ("gzip", b"no gzip", "cut"),
        ("gzip", gzip.compress(TEXT) + b"tail", "cut"),
        ("br", TEXT, "unknown way"),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT)), "unknown way"),
    ],
)
def test_a_body_that_is_packed_otherwise_than_it_says_is_refused(
    packing: str, body: bytes, words: str
) -> None:
    with pytest.raises(httpx.DecodingError, match=words):
        take(body, packing)


@pytest.mark.parametrize("packing", [None, "gzip", "deflate"])
def test_no_more_is_unpacked_than_is_allowed(packing: str | None) -> None:
    zeros = bytes(50 << 20)
    packed = {None: zeros, "gzip": gzip.compress(zeros, 1), "deflate": zlib.compress(zeros, 1)}
    with pytest.raises(MalformedError, match="more than 8 MiB"):
        take(packed[packing], packing, 8 << 20)


def test_a_bomb_ends_the_command_with_a_sentence_and_is_not_asked_for_again() -> None:
    bomb = gzip.compress(bytes(LARGEST + (1 << 20)), 1)
    system = answering(Answer(headers=(("Content-Encoding", "gzip"),), body=bomb))
    with pytest.raises(AnswerUnreadable, match="more than 256 MiB, which p2c does not") as caught:
        system.ask("GET", "x", lambda one: one.content)
    assert not caught.value.again


def test_p2c_asks_for_what_it_can_unpack() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Accept-Encoding"])
        return httpx.Response(200)

    with make_client("https://x", transport=httpx.MockTransport(answer)) as client:
        client.get("y")
    assert seen == ["gzip"]
