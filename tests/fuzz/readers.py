"""Every reader of outside bytes, by name: an answer goes in, a value or a sentence comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import polars as pl

from pipeline.errors import AccessDenied, ConfigurationError, LoginFailed, P2cError
from pipeline.extract.dataverse.page import PageReader
from pipeline.extract.dataverse.page_fast import open_engine
from pipeline.load.odata.exchange import read_answers, send_batch
from pipeline.load.packages.dmf import ImportJob, PackageClient
from pipeline.load.packages.error_list import read_errors
from pipeline.load.packages.error_rows import ImportMessages, place_messages
from pipeline.scm.keys import read_customers, read_legal_entities, read_persons
from pipeline.scm.labels import read_entity_labels
from pipeline.scm.lookup import ETAG, find_rows
from pipeline.scm.metadata import Model, read_model
from pipeline.wire.client import make_client
from pipeline.wire.dataverse import Sales
from pipeline.wire.json_body import read_json_object
from pipeline.wire.links import Links
from pipeline.wire.login.auth import TokenAuth
from pipeline.wire.login.credentials import PlainLogin
from pipeline.wire.login.settings import AuthSettings
from pipeline.wire.multipart import BatchRequest
from pipeline.wire.pace import Pace
from pipeline.wire.retry import RetryPolicy
from pipeline.wire.salesrows import SalesRows
from pipeline.wire.scm import Scm
from pipeline.wire.system import System
from schemas.scm import CUSTOMERS_V2
from tests.scenes.reading import landed, write

STOPPED: Final = 3
REFUSED: Final = 2
ID: Final = "1b67c282-793b-fdce-58be-d7f70c5fb4b0"
JOB: Final = ImportJob(
    definition_group="g", execution_id="j", legal_entity="usmf", entity_label="Customers V2"
)
ROWS: Final = pl.DataFrame(
    {
        "legal_entity": ["usmf"],
        "destination_key": ["usmf/CON-01000-ABCDEF"],
        "CustomerAccount": ["CON-01000-ABCDEF"],
    }
)
MODEL: Final = Model(
    sets={
        "LegalEntities": {"LegalEntityId": "Edm.String", "Name": "Edm.String"},
        "CDSParties": {"PartyNumber": "Edm.String", "PartyType": "Edm.String"},
    },
    enums={},
)
COLUMNS: Final = ["contactid", "lastname", "creditlimit", "donotemail", "gendercode"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer as it comes over the wire."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    body: bytes = b""

    def respond(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request; its body has not been read."""
        headers = [(name.encode(), text.encode()) for name, text in self.headers]
        return httpx.Response(
            self.status, headers=headers, stream=_Body(self.body), request=request
        )


class _Body(httpx.SyncByteStream):
    """A body that comes in pieces."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), 1 << 16):
            yield self._content[start : start + (1 << 16)]


def answering(
    answer: Answer, url: str = "https://scm.test", auth: httpx.Auth | None = None
) -> System:
    """A system that answers everything with the same, and is asked once."""
    return System(
        name="SCM",
        client=make_client(url, auth=auth, transport=httpx.MockTransport(answer.respond)),
        policy=RetryPolicy(attempts=1, first_attempts=1),
        pace=Pace(sleep=lambda _seconds: None),
    )


def _open_scm(answer: Answer) -> Scm:
    return Scm(system=answering(answer), blobs=answering(answer))


def _open_sales(answer: Answer) -> Sales:
    return Sales(system=answering(answer, "https://sales.test"))


def read_plainly(answer: Answer, _folder: Path) -> None:
    """An object of JSON."""
    answering(answer).ask("GET", "data/X", read_json_object)


def read_once(answer: Answer, _folder: Path) -> None:
    """The answer to what is sent once."""
    answering(answer).send_once(
        "POST", "data/X", read_json_object, subject="x", headers={}, content=b""
    )


def read_pages(answer: Answer, folder: Path) -> None:
    """Keys of SCM, page by page."""
    scm = _open_scm(answer)
    read_customers(scm, MODEL, ["usmf"], folder / "customers.parquet")
    read_persons(scm, ["usmf"], folder / "persons.parquet")


def read_names(answer: Answer, _folder: Path) -> None:
    """Legal entities, and the name of an entity."""
    read_legal_entities(_open_scm(answer), MODEL)
    read_entity_labels(_open_scm(answer), MODEL, CUSTOMERS_V2)


def look_up(answer: Answer, _folder: Path) -> None:
    """Rows of SCM under planned keys."""
    find_rows(_open_scm(answer), CUSTOMERS_V2, ["PersonFirstName"], ROWS, ETAG)


def count_rows(answer: Answer, _folder: Path) -> None:
    """The records of a job."""
    client = PackageClient(scm=_open_scm(answer))
    client.counts(JOB)
    client.state(client.details(JOB))


def ask_status(answer: Answer, _folder: Path) -> None:
    """The state of an import, and where to upload."""
    client = PackageClient(scm=_open_scm(answer))
    client.status("j")
    client.write_url("x.zip")


def list_refusals(answer: Answer, _folder: Path) -> None:
    """What SCM says of refused rows, in all its forms."""
    client = PackageClient(scm=_open_scm(answer))
    said = ImportMessages(
        messages=client.errors("j"),
        staging_file=client.staging_errors(JOB),
        keys_file=client.keys_file(JOB),
    )
    place_messages(ROWS, CUSTOMERS_V2, said)


def read_error_list(answer: Answer, _folder: Path) -> None:
    """A text of messages and a file of keys."""
    text = answer.body.decode("utf-8", "surrogateescape")
    messages = read_errors(text)
    said = ImportMessages(messages=messages, staging_file=answer.body, keys_file=answer.body)
    place_messages(ROWS, CUSTOMERS_V2, said)


def read_metadata(answer: Answer, _folder: Path) -> None:
    """SCM's ``$metadata``."""
    scm = _open_scm(answer)
    read_model(scm.metadata(), scm.label)


def read_batch(answer: Answer, _folder: Path) -> None:
    """The answers of a batch."""
    request = BatchRequest(content_type="multipart/mixed; boundary=b", body=b"--b--")
    read_answers(["a", "b"], send_batch(_open_scm(answer), request, 2), frozenset())


def read_page(answer: Answer, _folder: Path) -> None:
    """A page of Sales, and where the next one is."""
    sales = _open_sales(answer)
    with open_engine() as engine:
        reader = PageReader(COLUMNS, ["creditlimit"], engine)
        page = sales.get("contacts", lambda one: reader.read(one.content), subject="contacts")
    if page.next_link is not None:
        Links(sales.system.client.base_url, "Sales", "contacts").checked(page.next_link)


def ask_sales(answer: Answer, _folder: Path) -> None:
    """What Sales says of itself."""
    sales = _open_sales(answer)
    for ask in (
        sales.who_am_i,
        sales.organization,
        sales.tracked,
        lambda: sales.columns("contact"),
        lambda: sales.totals(["contact"]),
        lambda: sales.try_read("contacts", "contactid"),
    ):
        try:
            ask()
        except P2cError as error:
            expect_code(error, STOPPED)


def read_sales_rows(answer: Answer, _folder: Path) -> None:
    """Rows of Sales by their ids."""
    SalesRows(system=answering(answer, "https://sales.test")).found(
        "contacts", "contactid", ["contactid", "lastname"], [ID]
    )


def log_in(answer: Answer, _folder: Path) -> None:
    """A token, and a request that bears it."""
    auth = AuthSettings(
        kind="client_secret",
        tenant="t",
        client_id="c",
        secret_env="S",  # noqa: S106 - the name of a variable
        authority="http://localhost:1",
    )
    transport = httpx.MockTransport(answer.respond)
    login = PlainLogin(settings=auth, secret="s", transport=transport)  # noqa: S106
    good = Answer(body=b"{}")
    answering(good, auth=TokenAuth(lambda: login, "s")).ask("GET", "data/X", read_json_object)


MEMBER: Final = f"{ID},Brown,CON-01000-ABCDEF,true,\n"
"""A file that a model lists."""

Reader = Callable[[Answer, Path], None]

WIRE: Final[dict[str, Reader]] = {
    "ask": read_plainly,
    "once": read_once,
    "customers": read_pages,
    "pages": read_pages,
    "names": read_names,
    "lookup": look_up,
    "counts": count_rows,
    "status": ask_status,
    "errors": list_refusals,
    "errorlist": read_error_list,
    "metadata": read_metadata,
    "refusal": read_plainly,
    "batch": read_batch,
    "page": read_page,
    "sales": ask_sales,
    "salesrows": read_sales_rows,
    "login": log_in,
}
"""Readers of answers: they end with a value, or with exit 3."""


def _read_file(name: str) -> Reader:
    def read(answer: Answer, folder: Path) -> None:
        beside = {"contact/1.csv": MEMBER} if name == "model.json" else {}
        landed(write(folder / "source", {**beside, name: answer.body}), folder)

    return read


FILES: Final[dict[str, Reader]] = {
    "parquet": _read_file("contacts.parquet"),
    "csv": _read_file("contacts.csv"),
    "json": _read_file("contacts.json"),
    "jsonl": _read_file("contacts.jsonl"),
    "xml": _read_file("contacts.xml"),
    "workbook": _read_file("contacts.xlsx"),
    "gzip": _read_file("contacts.csv.gz"),
    "zip": _read_file("contacts.zip"),
    "model": _read_file("model.json"),
}
"""Readers of files: they end with a value, or with exit 2."""

READERS: Final = {**WIRE, **FILES}


def expect_code(error: P2cError, code: int) -> None:
    """An error of the world says that it is one, in a sentence without control characters.

    A login, a right or an address that is refused is one of the configuration.
    """
    of_the_world = not isinstance(error, (AccessDenied, ConfigurationError, LoginFailed))
    assert error.exit_code == (code if of_the_world else REFUSED), error
    assert code != STOPPED or str(error).isprintable(), repr(str(error))


def run_reader(name: str, answer: Answer, folder: Path) -> None:
    """Give an answer to a reader. Raises whatever is no sentence with the right code."""
    try:
        READERS[name](answer, folder)
    except P2cError as error:
        expect_code(error, STOPPED if name in WIRE else REFUSED)
