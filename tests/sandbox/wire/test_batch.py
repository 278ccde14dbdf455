from __future__ import annotations

import contextlib
import email
import email.policy
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sandbox.wire.batch import (
    BatchError,
    Changeset,
    ChangesetAnswer,
    ODataAnswer,
    ODataOperation,
    run_batch,
)
from pipeline.sandbox.wire.multipart import is_batch, parse_batch, render_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPE = 'multipart/mixed; boundary="batch_x"'
ROOT = "https://sales.example/api/data/v9.2/"


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def request(
    url: str, *, method: str = "PATCH", body: str = "{}", content_id: str = "", headers: str = ""
) -> str:
    mime = "Content-Type: application/http\nContent-Transfer-Encoding: binary\n"
    mime += f"Content-ID: {content_id}\n" if content_id else ""
    return f"{mime}\n{method} {url} HTTP/1.1\nContent-Type: application/json\n{headers}\n{body}"


def batch(*parts: str) -> bytes:
    return crlf("".join(f"--batch_x\n{part}\n" for part in parts) + "--batch_x--\n")


def changeset(*parts: str, close: bool = True) -> str:
    inside = "".join(f"--changeset_y\n{part}\n" for part in parts)
    end = "--changeset_y--\n" if close else ""
    return f"Content-Type: multipart/mixed; boundary=changeset_y\n\n{inside}{end}"


class Server:
    """Keeps what it is sent; fails what has 'bad' in its URL; knows transactions."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.seen: list[ODataOperation] = []

    def send(self, operation: ODataOperation) -> ODataAnswer:
        self.seen.append(operation)
        if "bad" in operation.url:
            return ODataAnswer(status=404, body=b"no")
        self.kept.append(operation.url)
        return ODataAnswer(
            status=204, headers={"OData-EntityId": f"{ROOT}things({len(self.seen)})"}
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        before = list(self.kept)
        try:
            yield
        except BaseException:
            self.kept = before
            raise


def ran(server: Server, content: bytes, *, go_on: bool = False) -> list[tuple[int, str | None]]:
    parts = parse_batch(TYPE, content, limit=100)
    result = run_batch(
        parts, send=server.send, transaction=server.transaction, continue_on_error=go_on
    )
    answers = [p.answers if isinstance(p, ChangesetAnswer) else (p,) for p in result.parts]
    return [(answer.status, answer.content_id) for group in answers for answer in group]


def test_single_requests_and_changesets_are_read_with_their_headers_and_bodies() -> None:
    one = request("contacts(1)", body='{"a": 1}', headers="If-Match: *\n")
    first, second = parse_batch(
        TYPE, batch(one, changeset(request("b", content_id="7"), request("c"))), limit=10
    )
    assert isinstance(first, ODataOperation)
    assert (first.method, first.url, first.headers["if-match"]) == ("PATCH", "contacts(1)", "*")
    assert orjson.loads(first.body) == {"a": 1}
    assert isinstance(second, Changeset)
    assert [(o.url, o.content_id) for o in second.operations] == [("b", "7"), ("c", None)]


def test_what_surrounds_the_boundaries_is_ignored() -> None:
    content = b"preamble\r\n" + batch(request("a")) + b"epilogue --batch_x"
    assert len(parse_batch(TYPE, content, limit=1)) == 1


def test_a_changeset_that_is_not_closed_ends_with_its_batch() -> None:
    (part,) = parse_batch(TYPE, batch(changeset(request("a"), request("b"), close=False)), limit=10)
    assert isinstance(part, Changeset)
    assert [operation.url for operation in part.operations] == ["a", "b"]


def test_a_boundary_inside_a_body_is_no_boundary() -> None:
    (part,) = parse_batch(
        TYPE, batch(request("a", body='{"note": "see --batch_x and --batch_xyz"}')), limit=1
    )
    assert isinstance(part, ODataOperation)
    assert b"--batch_xyz" in part.body


@pytest.mark.parametrize(
    ("content_type", "content", "words"),
    [
        ("application/json", batch(request("a")), "not multipart/mixed"),
        ("multipart/mixed", batch(request("a")), "not multipart/mixed with a boundary"),
        (TYPE, b"{}", "does not occur"),
        (TYPE, batch(request("a")).replace(b"\r\n", b"\n"), "CRLF"),
        (TYPE, batch(changeset(request("a", method="GET"))), "GET request is not allowed"),
        (
            TYPE,
            batch(changeset(changeset(request("a")).replace("changeset_y", "z"))),
            "another changeset",
        ),
        (
            TYPE,
            batch("Content-Type: multipart/mixed; boundary=changeset_y\n\n--changeset_y--\n"),
            "no requests",
        ),
        (TYPE, batch("Content-Type: text/plain\n\nhello"), "neither application/http"),
        (TYPE, batch("Content-Type: application/http\n\nhello"), "METHOD url HTTP/1.1"),
        (TYPE, batch(request("/api/data/v9.2/$batch", method="POST")), "another batch"),
        (TYPE, batch("Content-Type application/http\n\nGET a HTTP/1.1\n"), "no colon"),
        (TYPE, batch(*[request("a")] * 11), "11, exceeds the limit of 10"),
        (TYPE, batch(changeset(*[request("a")] * 11)), "11, exceeds the limit of 10"),
    ],
)
def test_what_is_no_batch_is_refused_in_words(
    content_type: str, content: bytes, words: str
) -> None:
    with pytest.raises(BatchError, match=words):
        parse_batch(content_type, content, limit=10)


def test_a_batch_is_known_by_its_media_type() -> None:
    assert is_batch("multipart/mixed; boundary=b")
    assert not is_batch("application/json")


@pytest.mark.parametrize(
    "url",
    [
        "contacts(1)?$select=a",
        "/api/data/v9.2/contacts(1)?$select=a",
        "https://sales.example/api/data/v9.2/contacts(1)?$select=a",
    ],
)
def test_the_three_forms_of_an_address_mean_the_same(url: str) -> None:
    operation = ODataOperation(method="GET", url=url)
    assert operation.target(ROOT + "$batch") == ("/api/data/v9.2/contacts(1)", "$select=a")


def test_the_first_failure_ends_a_batch() -> None:
    server = Server()
    assert ran(server, batch(request("a"), request("bad"), request("c"))) == [
        (204, None),
        (404, None),
    ]
    assert server.kept == ["a"]


def test_continue_on_error_goes_on() -> None:
    server = Server()
    assert ran(server, batch(request("a"), request("bad"), request("c")), go_on=True) == [
        (204, None),
        (404, None),
        (204, None),
    ]
    assert server.kept == ["a", "c"]


def test_a_failed_changeset_undoes_itself_and_has_one_answer() -> None:
    server = Server()
    content = batch(
        request("a"),
        changeset(request("b"), request("bad", content_id="2"), request("c")),
        request("d"),
    )
    assert ran(server, content, go_on=True) == [(204, None), (404, "2"), (204, None)]
    assert server.kept == ["a", "d"]


def test_content_ids_refer_to_what_their_changeset_made() -> None:
    server = Server()
    body = (
        '{"y@odata.id": "$1", "name": "$1", "owner@odata.bind": "$1", '
        '"many@odata.bind": ["/$1"], "deep": [{"x@odata.bind": "$1"}]}'
    )
    parts = changeset(
        request("things", method="POST", content_id="1"),
        request("$1/name"),
        request("/$1"),
        request("x", body=body),
    )
    assert [status for status, _ in ran(server, batch(parts))] == [204] * 4
    made = f"{ROOT}things(1)"
    assert [operation.url for operation in server.seen[1:3]] == [f"{made}/name", made]
    assert orjson.loads(server.seen[3].body) == {
        "y@odata.id": made,
        "name": "$1",
        "owner@odata.bind": made,
        "many@odata.bind": [made],
        "deep": [{"x@odata.bind": made}],
    }


@pytest.mark.parametrize("reference", [request("$2"), request("x", body='{"a@odata.bind": "$2"}')])
def test_a_reference_to_what_comes_later_fails(reference: str) -> None:
    server = Server()
    parts = parse_batch(TYPE, batch(changeset(reference, request("y", content_id="2"))), limit=10)
    result = run_batch(
        parts, send=server.send, transaction=server.transaction, continue_on_error=False
    )
    assert result.failed is not None
    assert result.failed.status == 400
    message = orjson.loads(result.failed.body)["error"]["message"]
    assert message == "Content-ID Reference: '$2' does not exist in the batch context."
    assert server.kept == []


def test_content_ids_end_with_their_changeset() -> None:
    content = batch(changeset(request("a", content_id="1")), changeset(request("$1")))
    assert [status for status, _ in ran(Server(), content)] == [204, 400]


def test_a_body_that_is_no_json_reaches_the_server_as_it_is() -> None:
    server = Server()
    assert ran(server, batch(request("a", body="$1 {"))) == [(204, None)]
    assert server.seen[0].body.strip() == b"$1 {"


def read_back(content_type: str, body: bytes) -> email.message.EmailMessage:
    """The answer as the standard library's mail parser reads it."""
    text = f"Content-Type: {content_type}\r\n\r\n".encode() + body
    message = email.message_from_bytes(text, policy=email.policy.HTTP)
    assert isinstance(message, email.message.EmailMessage)
    assert not message.defects
    return message


def test_answers_are_a_multipart_that_others_read() -> None:
    good = ODataAnswer(
        status=201,
        headers={"OData-Version": "4.0"},
        body='{"name": "Ærø"}'.encode(),
        content_id="3",
    )
    content_type, body = render_batch(
        [good, ChangesetAnswer(answers=(good, ODataAnswer(status=204)))]
    )
    first, second = read_back(content_type, body).iter_parts()
    assert first["content-id"] == "3"
    assert (
        first.get_payload(decode=True)
        == 'HTTP/1.1 201 Created\r\nOData-Version: 4.0\r\n\r\n{"name": "Ærø"}'.encode()
    )
    assert [part["content-id"] for part in second.iter_parts()] == ["3", None]
    assert content_type.startswith("multipart/mixed; boundary=batchresponse_")
    assert b"boundary=changesetresponse_" in body


@pytest.mark.parametrize(
    ("inside", "types"), [(False, ["application/http"]), (True, ["multipart/mixed"])]
)
def test_the_one_answer_of_a_failed_changeset_stands_alone_or_inside(
    *, inside: bool, types: list[str]
) -> None:
    failed = ChangesetAnswer(answers=(ODataAnswer(status=500, content_id="1"),))
    content_type, body = render_batch([failed], failed_in_changeset=inside)
    assert [part.get_content_type() for part in read_back(content_type, body).iter_parts()] == types
    assert b"Content-ID: 1" in body
    assert b"HTTP/1.1 500 Internal Server Error" in body


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_any_bodies_arrive_as_they_were_sent(bodies: list[bytes]) -> None:
    head = b"Content-Type: application/http\r\n\r\nPOST a HTTP/1.1\r\nContent-Type: x/y\r\n\r\n"
    content = b"".join(b"--batch_x\r\n" + head + body + b"\r\n" for body in bodies) + b"--batch_x--"
    parts = parse_batch(TYPE, content, limit=10)
    assert [part.body for part in parts if isinstance(part, ODataOperation)] == bodies
