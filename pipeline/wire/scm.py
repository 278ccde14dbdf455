"""SCM on the wire: OData reads, actions of Data management, batches, blobs by signed URL.

What may be asked twice is asked again after a failure of the world. What may not (starting an
import, sending rows) is asked once, and ``LostAnswer`` says that nobody knows whether it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

import httpx
import orjson

from pipeline.errors import AccessDenied, ConfigurationError, RequestRefused
from pipeline.wire.blobs import BlobHosts
from pipeline.wire.failures import is_html
from pipeline.wire.json_body import check_rows, read_done, read_json_object, read_next_link
from pipeline.wire.links import Links
from pipeline.wire.once import Declined, refuse_batch, translate_refusal
from pipeline.wire.system import System

T = TypeVar("T")
_Refused = TypeVar("_Refused", RequestRefused, AccessDenied)

ScmRow = Mapping[str, object]
"""A row as SCM sends it: property → value."""

NAMESPACE: Final = "Microsoft.Dynamics.DataEntities"
ACTIONS: Final = f"data/DataManagementDefinitionGroups/{NAMESPACE}."

_JSON: Final = {
    "Content-Type": "application/json",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
}
_BLOB: Final = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/zip"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scm:
    """SCM at one address.

    ``blobs`` does not log in: signed URLs carry their own rights. ``blob_hosts`` are hosts that
    these may lead to besides Azure Blob storage.
    """

    system: System
    blobs: System
    blob_hosts: Sequence[str] = ()

    @property
    def label(self) -> str:
        """The name for messages."""
        return self.system.label

    @property
    def root(self) -> str:
        """The address, as requests inside a batch spell it."""
        return str(self.system.client.base_url).rstrip("/")

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is being stopped."""
        self.system.pace.sleep(seconds)

    def halt(self) -> None:
        """Stop everybody who waits for SCM now or wants to ask it later."""
        for one in (self.system, self.blobs):
            one.pace.halt()

    def resume(self) -> None:
        """Allow requests again after a halt."""
        for one in (self.system, self.blobs):
            one.pace.resume()

    def pages(self, entity_set: str, **options: str) -> Iterator[list[ScmRow]]:
        """The rows of an entity set across all legal entities, page by page.

        ``options`` are query options without their ``$``; with ``select`` each row has all of these
        columns.

        Raises:
            Declined: SCM does not have the set, or refuses the query.
            Stopped: SCM cannot be reached, a next link leads elsewhere or back, or pages never end.
        """
        query = "".join(f"&${name}={quote(value, safe='')}" for name, value in options.items())
        url: str | None = f"data/{entity_set}?cross-company=true{query}"
        links = Links(self.system.client.base_url, self.label, entity_set)
        select = options.get("select", "")
        read = partial(_read_page, select.split(",") if select else [])
        while url is not None:
            rows, link = self._ask_again("GET", url, read, entity_set)
            links.note(rows)
            yield rows
            url = None if link is None else links.checked(link)

    def metadata(self) -> bytes:
        """``$metadata`` as SCM sends it.

        Raises:
            ConfigurationError: what is at the address is not an SCM.
            SystemStopped: it failed, or does not let us in.
        """
        try:
            return self.system.ask(
                "GET",
                "data/$metadata",
                lambda response: response.content,
                subject="$metadata",
                headers={"Accept": "application/xml"},
            )
        except RequestRefused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            raise ConfigurationError(
                "is not SCM: nothing at this address answers at /data (HTTP 404). Check "
                "destination.url, and that it is not the address of Sales.",
                where=self.system.label,
            ) from refused

    def ask(self, action: str, **body: str | bool) -> object:
        """The value of an action of Data management that may be asked again.

        Raises ``Declined``, else ``Stopped``.
        """
        return self._ask_again(
            "POST", f"{ACTIONS}{action}", _read_value, action, orjson.dumps(body)
        )

    def start(self, action: str, **body: str | bool) -> object:
        """The value of an action that must not be asked twice. Raises as ``batch`` does."""
        return self.system.send_once(
            "POST",
            f"{ACTIONS}{action}",
            _read_value,
            subject=action,
            headers=_JSON,
            content=orjson.dumps(body),
        )

    def batch(self, content_type: str, body: bytes, read: Callable[[httpx.Response], T]) -> T:
        """Send a ``$batch``, once.

        Raises ``LostAnswer``, ``Busy``, ``Declined``, else ``Stopped``.
        """
        headers = {
            **_JSON,
            "Content-Type": content_type,
            "Accept": "multipart/mixed",
            "Prefer": "odata.continue-on-error",
        }
        try:
            return self.system.send_once(
                "POST", "data/$batch", read, subject="$batch", headers=headers, content=body
            )
        except Declined as declined:
            raise refuse_batch(declined) from declined

    def delete(self, entity_set: str, key: str) -> None:
        """Delete a row by its only key; deleting it twice does no harm.

        Raises ``Declined``, else ``Stopped``.
        """
        address = f"data/{entity_set}({quote(_quote_key(key), safe='')})"
        try:
            self._ask_again("DELETE", address, read_done, entity_set)
        except Declined as declined:
            if declined.refusal.status != HTTPStatus.NOT_FOUND:
                raise

    def upload(self, url: str, content: bytes) -> None:
        """Put a blob behind a signed URL; doing it twice does no harm.

        Raises ``Stopped``: the URL leads to a host that p2c does not go to, or somebody else than
        Blob storage says that it was done.
        """
        url = self._check_host(url, "packages")
        self.blobs.ask("PUT", url, _read_created, subject="upload", headers=_BLOB, content=content)

    def download(self, url: str) -> bytes:
        """The blob behind a signed URL. Raises as ``upload`` does."""
        url = self._check_host(url, "a file of errors")
        return self.blobs.ask("GET", url, _read_blob, subject="download")

    def _check_host(self, url: str, what: str) -> str:
        hosts = BlobHosts(home=self.system.client.base_url, added=self.blob_hosts)
        return hosts.check(url, what)

    def _ask_again(
        self,
        method: str,
        url: str,
        read: Callable[[httpx.Response], T],
        subject: str,
        content: bytes | None = None,
    ) -> T:
        try:
            return self.system.ask(
                method, url, read, subject=subject, headers=_JSON, content=content
            )
        except RequestRefused as refused:
            raise translate_refusal(_name_subject(refused, subject)) from refused
        except AccessDenied as denied:
            raise _name_subject(denied, subject) from denied


def _name_subject(error: _Refused, subject: str) -> _Refused:
    """A refusal with what was asked for: rights and licences differ from entity to entity."""
    message = f"{error.message} p2c asked for {subject}."
    return type(error)(message, where=error.where, refusal=error.refusal)


def _quote_key(key: str) -> str:
    """A key in an address: in single quotes, quotes inside doubled."""
    return "'" + key.replace("'", "''") + "'"


def _read_page(columns: Sequence[str], response: httpx.Response) -> tuple[list[ScmRow], str | None]:
    answer = read_json_object(response)
    return [*check_rows(answer, columns)], read_next_link(answer)


def _read_created(response: httpx.Response) -> None:
    """That a blob was made: Blob storage says so with 201, a proxy's page comes with 200."""
    if response.status_code != HTTPStatus.CREATED or is_html(response):
        raise ValueError("no blob was made")


def _read_blob(response: httpx.Response) -> bytes:
    """A blob, which has a tag; a page that stands in its place has none, and neither has nothing.

    Blobs of ours are packages and files of errors, none of which is a web page.
    """
    if is_html(response) or not (response.content or "ETag" in response.headers):
        raise ValueError("not a blob")
    return response.content


def _read_value(response: httpx.Response) -> object:
    return read_json_object(response)["value"]
