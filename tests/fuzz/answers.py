"""Good answers and files for every reader, and the ways in which they are spoilt."""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence
from dataclasses import replace
from typing import Any, Final

import polars as pl
import xlsxwriter

from tests.fuzz.readers import ID, Answer

JSON: Final = (("Content-Type", "application/json"),)


def say(content: object, **others: Any) -> Answer:
    """An answer of JSON."""
    return Answer(body=json.dumps(content).encode(), **others)


_ROW: Final = {
    "@odata.etag": 'W/"1"', "dataAreaId": "usmf", "CustomerAccount": "CON-01000-ABCDEF",
    "PartyNumber": "P0", "PartyType": "Organization", "LegalEntityId": "usmf", "Name": "N",
    "PersonFirstName": "Ada", "ContactPersonPartyNumber": "P1", "AssociatedPartyNumber": "P0",
    "JobId": "j", "StagingRecordsToBeProcessedCount": 3, "StagingRecordsCreatedCount": 3,
    "TargetRecordsCreatedCount": 2, "TargetRecordsUpdatedCount": 1, "StagingStatus": "Finished",
}  # fmt: skip
SCM_PAGE: Final = say({"@odata.context": "x", "value": [_ROW, {**_ROW, "PartyNumber": "P2"}]})
LINKED: Final = say(
    {"value": [_ROW], "@odata.nextLink": "https://scm.test/data/CustomersV2?skip=2"}
)
_CONTACT: Final = {
    "@odata.etag": 'W/"12"', "contactid": ID, "lastname": "Brün 😀", "creditlimit": 7000.25,
    "donotemail": False, "gendercode": 1,
    "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
}  # fmt: skip
SALES_PAGE: Final = say(
    {
        "@odata.context": "c",
        "value": [_CONTACT, {**_CONTACT, "contactid": ID[:-1] + "1"}],
        "@odata.nextLink": "https://sales.test/api/data/v9.2/contacts?$skiptoken=x",
    }
)
REFUSED: Final = say(
    {
        "error": {
            "code": "0x80044352",
            "message": "no",
            "innererror": {"message": "inner", "internalexception": {"message": "cause"}},
        }
    },
    status=400,
)
MESSAGES: Final = json.dumps(
    [
        {
            "RecordId": "usmf,CON-01000-ABCDEF",
            "Field": "AddressZipCode",
            "ErrorMessage": "The value '1' is not \"found\" in the map.",
        }
    ]
)
SALES_FACTS: Final = say(
    {
        "UserId": "a", "OrganizationId": "b", "Detail": {"FriendlyName": "x"},
        "value": [{"LogicalName": "contactid", "AttributeType": "Lookup", "AttributeOf": None}],
        "EntityRecordCountCollection": {"Count": 1, "Keys": ["contact"], "Values": [5]},
    }
)  # fmt: skip
METADATA: Final = Answer(
    headers=(("Content-Type", "application/xml"),),
    body=b'<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.'
    b'oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="M" xmlns="http://docs.oas'
    b'is-open.org/odata/ns/edm"><EnumType Name="NoYes"><Member Name="No" Value="0"/><Member Name='
    b'"Yes" Value="1"/></EnumType><EntityType Name="CustomerV2"><Property Name="dataAreaId" '
    b'Type="Edm.String"/></EntityType><EntityContainer Name="R"><EntitySet Name="CustomersV2" '
    b'EntityType="M.CustomerV2"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>',
)
BATCH: Final = Answer(
    headers=(("Content-Type", "multipart/mixed; boundary=b"),),
    body=b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: "
    b"application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 201 Created\r\nLocation: x\r\n\r\n{}\r\n"
    b"--c--\r\n--b\r\nContent-Type: application/http\r\nContent-ID: 2\r\n\r\nHTTP/1.1 429 Busy\r\n"
    b'Retry-After: 5\r\n\r\n{"error": {"message": "later"}}\r\n--b--\r\n',
)
TOKEN: Final = say({"access_token": "abc.def", "expires_in": 3599, "token_type": "Bearer"})
CELLS: Final = {
    "contactid": [ID, ID[:-1] + "1"], "lastname": ["Brün", "O'Neil, \"x\""],
    "msdynce_contactnumber": ["CON-01000-ABCDEF", "CON-01001-ABCDEF"],
    "msdynce_isactivecustomer": ["true", "false"], "parentcustomerid": [None, None],
}  # fmt: skip
_FRAME: Final = pl.DataFrame(CELLS, schema_overrides={"parentcustomerid": pl.String})
_ROWS: Final = _FRAME.to_dicts()
_CSV: Final = _FRAME.write_csv().encode()


def _save(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def _pack(members: Mapping[str, bytes]) -> bytes:
    def write(file: io.BytesIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return _save(write)


def _make_workbook() -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet("contacts")
    for place, (name, cells) in enumerate(CELLS.items()):
        for row, cell in enumerate((name, *cells)):  # type: ignore[misc]
            sheet.write(row, place, cell)
    book.close()
    return file.getvalue()


_MODEL: Final = {
    "name": "cdm",
    "version": "1.0",
    "entities": [
        {
            "$type": "LocalEntity",
            "name": "contact",
            "attributes": [{"name": name, "dataType": "string"} for name in CELLS],
            "partitions": [
                {"name": "1", "location": "https://x.dfs.core.windows.net/c/contact/1.csv"}
            ],
        }
    ],
}
_XML: Final = (
    "<contacts>"
    + "".join(
        "<contact>"
        + "".join(f"<{name}>{value or ''}</{name}>" for name, value in row.items())
        + "</contact>"
        for row in _ROWS
    )
    + "</contacts>"
).replace('"x"', "x")

SEEDS: Final[dict[str, tuple[Answer, ...]]] = {
    "ask": (SCM_PAGE, REFUSED),
    "once": (SCM_PAGE, REFUSED),
    "customers": (SCM_PAGE, LINKED),
    "pages": (SCM_PAGE, LINKED),
    "names": (SCM_PAGE, LINKED),
    "lookup": (SCM_PAGE,),
    "counts": (SCM_PAGE, REFUSED),
    "status": (
        say({"value": "Succeeded"}),
        say({"value": '{"BlobUrl": "https://x.test/y?sig=1"}'}),
    ),
    "errors": (say({"value": MESSAGES}), say({"value": "https://x.test/y"}), REFUSED),
    "errorlist": (
        Answer(body=MESSAGES.encode()),
        Answer(body=b"CUSTOMERACCOUNT\r\nCON-01000-X\r\n"),
    ),
    "metadata": (METADATA,),
    "refusal": (REFUSED, replace(REFUSED, status=429), replace(REFUSED, status=403)),
    "batch": (BATCH, REFUSED),
    "page": (SALES_PAGE,),
    "sales": (SALES_FACTS, REFUSED),
    "salesrows": (SALES_PAGE,),
    "login": (TOKEN, say({"error": "x", "error_description": "AADSTS7000215: no"}, status=401)),
    "parquet": (Answer(body=_save(_FRAME.write_parquet)),),
    "csv": (Answer(body=_CSV), Answer(body=_CSV.decode().encode("utf-16"))),
    "json": (say({"value": _ROWS}), say(_ROWS)),
    "jsonl": (Answer(body=b"\n".join(json.dumps(row).encode() for row in _ROWS)),),
    "xml": (Answer(body=_XML.encode()),),
    "workbook": (Answer(body=_make_workbook()),),
    "gzip": (Answer(body=gzip.compress(_CSV)),),
    "zip": (Answer(body=_pack({"contacts.csv": _CSV})),),
    "model": (say(_MODEL),),
}
"""Reader → what it is given, before it is spoilt."""

VALUES: Final[tuple[object, ...]] = (
    None, True, -1, 0, 1e308, 1e-320, 2**63, 10**30, "", "NaN", "\x00", "\ud800", "x\udcda", "²",
    "9999-12-31T23:59:59Z", "\x1b]0;x\x07\u202e", "https://évil/", "http://[::1", "../../x",
    "x" * 300, [], {}, [None], [[1]], {"a": {"b": []}}, [True], "é" * 50,
)  # fmt: skip
HEADERS: Final = (
    ("x-ms-dop-hint", "²"), ("x-ms-dop-hint", "9" * 5000), ("x-ms-dop-hint", "-3"),
    ("Retry-After", "inf"), ("Retry-After", "-5"), ("Retry-After", "٣"),
    ("Retry-After", "864000"), ("Retry-After", "Wed, 21 Oct 2015 07:28:00 -0000"),
    ("Date", "Wed, 21 Oct 2015 07:28:00 GMT"), ("Location", "https://évil"),
    ("Location", "http://[::1"), ("Location", "\x00"), ("Location", "//a:99999999/"),
    ("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("Content-Encoding", "deflate, gzip"),
    ("Content-Type", ""), ("Content-Type", "text/html"), ("Content-Type", "multipart/mixed"),
    ("Content-Type", "application/json; charset=utf-7"), ("Set-Cookie", "a=\x7f; expires=never"),
    ("Via", "1.1 prôxy"), ("WWW-Authenticate", 'Bearer x="'),
)  # fmt: skip
STATUSES: Final = (
    200, 201, 202, 204, 206, 207, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410,
    412, 413, 425, 429, 499, 500, 501, 502, 503, 504, 599,
)  # fmt: skip
_BITS: Final = (
    b"", b"\x00", b"\xff", b"\xed\xa0\x80", b'"', b"\\", b"[", b"]", b"{", b",", b"\r\n",
    b"[" * 3000, b"&x;", b"<!ENTITY", b"9" * 5000, b"\\ud83d", b"\xef\xbb\xbf",
)  # fmt: skip

Chance = random.Random


def spoil(answer: Answer, chance: Chance) -> Answer:
    """The answer with one to three things wrong with it."""
    for _ in range(chance.randint(1, 3)):
        answer = chance.choice((_spoil_json, _spoil_bytes, _spoil_head))(answer, chance)
    return answer


def _spoil_json(answer: Answer, chance: Chance) -> Answer:
    """Put something else in the place of a value, or take it away."""
    try:
        root = json.loads(answer.body)
    except (ValueError, RecursionError):
        return _spoil_bytes(answer, chance)
    root = copy.deepcopy(root)
    places = list(_walk(root))
    if not places:
        return say(chance.choice(VALUES), status=answer.status, headers=answer.headers)
    holder, key = chance.choice(places)
    if chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.choice(VALUES)
    return replace(
        answer,
        body=json.dumps(root, ensure_ascii=chance.random() < 0.7).encode("utf-8", "surrogatepass"),
    )


def _walk(node: object) -> list[tuple[Any, Any]]:
    """Every place of a value: what holds it, and its key there."""
    found: list[tuple[Any, Any]] = []
    if isinstance(node, MutableMapping | MutableSequence):
        keys = list(node) if isinstance(node, MutableMapping) else list(range(len(node)))
        for key in keys:
            found += [(node, key), *_walk(node[key])]
    return found


def _spoil_bytes(answer: Answer, chance: Chance) -> Answer:
    """Cut, overwrite or double a piece, or put something in."""
    body = answer.body
    start = chance.randint(0, len(body))
    end = min(len(body), start + chance.choice((0, 1, 2, 8, 64, len(body))))
    piece = chance.choice((*_BITS, body[start:end] * 2, chance.randbytes(3)))
    return replace(answer, body=body[:start] + piece + body[end:])


def _spoil_head(answer: Answer, chance: Chance) -> Answer:
    """Another status, or one more header; what says that it is packed often is."""
    if chance.random() < 0.4:
        return replace(answer, status=chance.choice(STATUSES))
    name, value = chance.choice(HEADERS)
    kept = tuple(pair for pair in answer.headers if pair[0] != name)
    body = gzip.compress(answer.body) if value == "gzip" and chance.random() < 0.8 else answer.body
    return replace(answer, headers=(*kept, (name, value)), body=body)
