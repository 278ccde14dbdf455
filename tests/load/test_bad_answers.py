"""Answers that are cut, empty, of another type, very long or a proxy's: always a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx
import pytest

from pipeline.errors import Stopped
from pipeline.load.packages.limits import ImportLimits
from tests.scenes.loading import OURS, RIVAL, Scene, number
from tests.scenes.loads import MakeScene

THERE: Final = [OURS | {"CUSTOMERACCOUNT": number(2), "PARTYNUMBER": number(2)}, RIVAL]
MEGABYTE: Final = 1 << 20
PAGE: Final = b"<!DOCTYPE html><html><body>" + b"Sign in to the proxy. " * 50_000
JSON: Final = {"Content-Type": "application/json"}
MIXED: Final = {"Content-Type": "multipart/mixed; boundary=b"}

Bad = Callable[[], httpx.Response]


def body(content: bytes, status: int = 200, **headers: str) -> Bad:
    return lambda: httpx.Response(status, content=content, headers={**JSON, **headers})


def value(text: str) -> Bad:
    return body(b'{"value":%s}' % text.encode())


ANSWERS: Final[dict[str, Bad]] = {
    "nothing": body(b""),
    "no content": body(b"", 204),
    "cut": body(b'{"value":"Succ'),
    "a page": lambda: httpx.Response(200, content=PAGE, headers={"Content-Type": "text/html"}),
    "a page that says it is json": body(PAGE),
    "no json": body(b"\x00\xff\xfe\x01" * 100),
    "another encoding": body('{"value":"é"}'.encode("latin-1")),
    "deep": body(b"[" * 200_000),
    "deep value": body(b'{"value":' + b"[" * 200_000),
    "a list": body(b"[1,2,3]"),
    "a number": body(b"17"),
    "null": body(b"null"),
    "an empty object": body(b"{}"),
    "no value": value("null"),
    "value is a number": value("17"),
    "value is an object": value('{"a":{"b":[]}}'),
    "value is a list of texts": value('["a","b"]'),
    "value is a list of nothing": value("[null]"),
    "value is a list of odd rows": value(
        '[{"JobId":7,"TargetRecordsCreatedCount":"many","CustomerAccount":[1],"@odata.etag":{}}]'
    ),
    "value is true": value("true"),
    "value is json in a text": value(r'"{\"BlobUrl\":17}"'),
    "value is a page": value(r'"<html>'),
    "value is long": value('"' + "x" * MEGABYTE + '"'),
    "a next page that is none": body(b'{"value":[],"@odata.nextLink":{"a":1}}'),
    "a next page elsewhere": body(b'{"value":[],"@odata.nextLink":"http://[::1/x"}'),
    "refused with a page": body(PAGE, 400, **{"Content-Type": "text/html"}),
    "refused with nothing": body(b"", 400),
    "refused deeply": body(b'{"error":' * 100_000, 400),
    "refused at length": body(
        b'{"error":{"code":"-' + b"9" * 9000 + b'","message":"' + b"no " * MEGABYTE + b'"}}', 400
    ),
    "refused oddly": body(b'{"error":{"message":{"lang":"en"},"innererror":[1]}}', 400),
    "failed with a page": body(PAGE, 500),
    "failed with a list": body(b'{"error":[]}', 500),
    "redirected to nowhere": body(b"", 302, Location="http://[::1"),
    "throttled until no date": body(b"", 429, **{"Retry-After": "soon"}),
    "throttled for ever": body(b"", 429, **{"Retry-After": "inf"}),
    "throttled for no number": body(b"", 429, **{"Retry-After": "nan"}),
    "throttled until a day without a zone": body(
        b"", 429, **{"Retry-After": "Mon, 01 Jan 2035 00:00:00 -0000", "Date": "x"}
    ),
    "packed badly": lambda: httpx.Response(
        200, headers={**JSON, "Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"\x1f\x8bno")
    ),
    "a batch that is cut": lambda: httpx.Response(200, content=b"--b\r\n", headers=MIXED),
    "a batch of nonsense": lambda: httpx.Response(
        200,
        content=b"--b\r\nContent-ID: \xb2\r\n\r\nHTTP/1.1 999 ?\r\n\r\n{\r\n--b--",
        headers=MIXED,
    ),
    "a batch of pages": lambda: httpx.Response(
        200,
        content=b"--b\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n"
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n" + PAGE + b"\r\n--b--\r\n",
        headers=MIXED,
    ),
    "a batch in a batch": lambda: httpx.Response(
        200,
        content=b"".join(
            b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
            for n in range(2000)
        ),
        headers={"Content-Type": "multipart/mixed; boundary=b0"},
    ),
}
"""What an answer may be instead."""

SOME: Final = [
    "nothing",
    "cut",
    "a page",
    "deep",
    "an empty object",
    "value is an object",
    "value is long",
    "refused with a page",
    "refused oddly",
    "failed with a list",
]
"""Of these, the ones for calls that are read in the same way as others."""
CALLS: Final = {
    "ImportFromPackageAsync": list(ANSWERS),
    "GetExecutionSummaryStatus": list(ANSWERS),
    "DataManagementExecutionJobDetails": list(ANSWERS),
    "GetAzureWriteUrl": [*SOME, "no value", "value is json in a text", "value is a page"],
    ".zip": SOME,
    "GetExecutionErrors": [*SOME, "no value", "value is a number", "value is a list of odd rows"],
    "GetImportStagingErrorFileUrl": SOME,
    "GenerateImportTargetErrorKeysFile": SOME,
    "GetImportTargetErrorKeysFileUrl": [*SOME, "value is true"],
    ".csv": [*SOME, "no json", "a page that says it is json"],
    "$batch": list(ANSWERS),
    "CustomersV2": list(ANSWERS),
}
"""Calls of a load, and how they are answered."""
ODATA_CALLS: Final = ["$batch", "CustomersV2"]
FEW_ROWS: Final = 4


def spoil(scene: Scene, name: str, answer: Bad) -> list[str]:
    """Spoil every answer to requests of that name; the list of them."""
    spoilt: list[str] = []

    def after(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith(name):
            return response
        spoilt.append(name)
        return answer()

    scene.wire.after = after
    return spoilt


def load(scene: Scene, how: str) -> dict[str, int]:
    limits = ImportLimits(record=20, queue=60, whole=200, keys=20)
    return dict(scene.load(how, patience=limits).outcomes)


def try_to_load(scene: Scene, how: str) -> Stopped | None:
    try:
        load(scene, how)
    except Stopped as stopped:
        return stopped
    return None


@pytest.mark.parametrize(
    ("call", "name"), [(call, name) for call, names in CALLS.items() for name in names]
)
def test_an_answer_that_nobody_can_read_is_a_sentence_and_the_load_ends_well_without_it(
    scenes: MakeScene, call: str, name: str
) -> None:
    scene, how = scenes("few", there=THERE), "odata" if call in ODATA_CALLS else "packages"
    spoilt = spoil(scene, call, ANSWERS[name])
    stopped = try_to_load(scene, how)
    assert spoilt
    if stopped is not None:
        assert stopped.exit_code == 3
        assert len(str(stopped)) < 3000
        assert "<html" not in str(stopped).lower()
    scene.wire.after = lambda _request, response: response
    outcomes = load(scene, how)
    assert sum(outcomes.values()) == FEW_ROWS
    executions = list(scene.twin.importer.executions)
    assert len({one.rpartition("-")[0] for one in executions}) == len(executions), (
        "no package was imported twice"
    )
