"""What a system said is data: no sentence of ours is read to find it out again."""

from __future__ import annotations

import json

import httpx
import pytest

from pipeline.errors import NO_REFUSAL, Refusal, RequestRefused, Throttled
from pipeline.wire.client import make_client
from pipeline.wire.dataverse import Sales
from pipeline.wire.failures import describe_refusal, translate_answer
from pipeline.wire.multipart import parse_answers
from pipeline.wire.once import Busy, Declined, SentOnce
from pipeline.wire.refusal import read_refusal
from pipeline.wire.system import System

GENERAL = "An error has occurred."


def build_body(**error: object) -> bytes:
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (build_body(code="0x80060888", message="no"), ("0x80060888", "no", "no")),
        (
            build_body(code="", message=GENERAL, innererror={"message": "Write failed"}),
            ("", GENERAL, "Write failed"),
        ),
        (
            build_body(
                message=GENERAL,
                innererror={
                    "message": "Exception occurred while executing action ImportFromPackage",
                    "internalexception": {
                        "message": "Exception has been thrown by the target of an invocation.",
                        "internalexception": {"message": "Execution id 'x' already exists."},
                    },
                },
            ),
            ("", GENERAL, "Execution id 'x' already exists."),
        ),
        (
            build_body(message=GENERAL, innererror={"message": "why", "internalexception": {}}),
            ("", GENERAL, "why"),
        ),
        (build_body(message="", innererror={"innererror": {"message": "deep"}}), ("", "", "deep")),
        (
            build_body(
                message=GENERAL,
                innererror={
                    "message": "Field 'Name' must be filled in.",
                    "internalexception": {
                        "message": "Exception has been thrown by the target of an invocation."
                    },
                },
            ),
            ("", GENERAL, "Field 'Name' must be filled in."),
        ),
        (
            json.dumps(
                {
                    "Message": GENERAL,
                    "ExceptionMessage": "Locked.",
                    "InnerException": {"Message": GENERAL, "ExceptionMessage": "By X."},
                }
            ).encode(),
            ("", "", "By X."),
        ),
        (
            b'{"odata.error": {"code": "7", "message": {"lang": "en-US", "value": "no row"}}}',
            ("7", "no row", "no row"),
        ),
        (build_body(code="-2147204270", message="x"), ("0x80044352", "x", "x")),
        (build_body(code=7, message=None), ("7", "", "")),
        (
            b'\xef\xbb\xbf{"error": "invalid_grant", "error_description": "expired"}',
            ("invalid_grant", "expired", "expired"),
        ),
        (b'{"error": null}', ("", "", "")),
        (b'{"error": ["x"]}', ("", "", "")),
        (b"[1]", ("", "", "")),
        (b"<html>no", ("", "", "")),
        (b"\xff\xfe", ("", "", "")),
        (b"", ("", "", "")),
    ],
)
def test_a_body_is_read_to_its_innermost_cause(content: bytes, said: tuple[str, str, str]) -> None:
    found = read_refusal(400, content)
    assert (found.code, found.text, found.cause) == said
    assert found.status == 400


def test_texts_are_whole_but_hold_no_secrets() -> None:
    words = "field " * 200
    found = read_refusal(
        400, build_body(message=f"{words}at https://x.example/p.zip?sig=abcdef123 end")
    )
    assert found.cause.endswith("at https://x.example/p.zip?… end")
    assert len(found.cause) > 1_000
    assert read_refusal(400, build_body(message="x" * 9_000)).cause == "x" * 2_000 + "…"


def test_a_part_of_a_batch_is_read_like_an_answer() -> None:
    inner = build_body(message=GENERAL, innererror={"message": "Field 'Name' must be filled in."})
    part = (
        b"--b\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n"
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n" + inner + b"\r\n"
    )
    (answer,) = parse_answers("multipart/mixed; boundary=b", part + b"--b--\r\n", 1).values()
    assert answer.refusal == Refusal(
        status=400, text=GENERAL, cause="Field 'Name' must be filled in."
    )


def test_a_sentence_is_made_of_the_fields_and_leaves_them_whole() -> None:
    long = "The value is wrong (HTTP 400). " * 30
    failed = translate_answer(httpx.Response(400, json={"error": {"message": long}}), "SCM")
    assert failed.refusal.cause == long.strip()
    assert len(failed.message) < 450
    assert failed.message.startswith("refused: The value is wrong (HTTP 400). The value")
    assert failed.message.endswith("… (HTTP 400).")
    assert describe_refusal("failed", Refusal(status=503)) == "failed (HTTP 503)"


def test_a_request_that_is_declined_keeps_what_was_said() -> None:
    said = Refusal(status=412, code="0x80060892", text="Taken (HTTP 409).", cause="Taken.")
    with pytest.raises(Declined) as caught, SentOnce():
        raise RequestRefused("a sentence", where="Sales", refusal=said)
    assert caught.value.refusal == said
    assert (caught.value.message, caught.value.where) == ("a sentence", "Sales")
    with pytest.raises(Busy) as busy, SentOnce():
        raise Throttled("busy", where="Sales", again=True, wait=3.0)
    assert busy.value.seconds == 3.0
    assert RequestRefused("ours").refusal is NO_REFUSAL


def build_sales(response: httpx.Response) -> Sales:
    def handle(request: httpx.Request) -> httpx.Response:
        if "EntityDefinitions" in request.url.path:
            rows = [{"LogicalName": "firstname", "AttributeType": "String"}]
            return httpx.Response(200, json={"value": rows})
        return response

    http = make_client("https://contoso.example", transport=httpx.MockTransport(handle))
    return Sales(system=System(name="Sales", client=http))


def test_a_missing_column_is_found_in_what_sales_said_not_in_our_sentence() -> None:
    text = (
        f"{'Some words of a plug-in. ' * 20}Could not find a property named 'firstnam' on type "
        "'Microsoft.Dynamics.CRM.contact'."
    )
    sales = build_sales(
        httpx.Response(400, json={"error": {"code": "0x80060888", "message": text}})
    )
    with pytest.raises(RequestRefused, match=r"'firstnam' in table contact\. Did you mean") as no:
        sales.get("contacts", lambda _: None, subject="contacts")
    assert no.value.refusal == Refusal(status=400, code="0x80060888", text=text, cause=text)
