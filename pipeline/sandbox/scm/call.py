"""One request of the SCM twin's OData on its way from its address to its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

import orjson

from pipeline.sandbox.odata.address import Segment
from pipeline.sandbox.odata.tree import Query
from pipeline.sandbox.scm import failures, infolog, metadata, payload
from pipeline.sandbox.scm.entities import COMPANY, ScmEntity
from pipeline.sandbox.scm.failures import ScmFailure
from pipeline.sandbox.scm.infolog import Info, RowRefused
from pipeline.sandbox.scm.languages import translate_infos
from pipeline.sandbox.scm.metadata import ActionType
from pipeline.sandbox.scm.reading import ScmReader, write_row_address
from pipeline.sandbox.scm.store import ScmRow, write_etag
from pipeline.sandbox.scm.writing import Desk
from pipeline.sandbox.wire.batch import ODataAnswer, ODataOperation

_MARK: Final = b"\xef\xbb\xbf"


class Actions(Protocol):
    """What Data management adds to the service.

    Actions, and execution records that are brought up to date before reading.
    """

    @property
    def types(self) -> tuple[ActionType, ...]:
        """The actions as metadata describes them."""

    def run(self, name: str, parameters: Mapping[str, Any], root: str) -> tuple[str, Any]:
        """Run an action: the Edm type and the value that it answers. Raises ``ScmFailure``."""

    def refresh(self, entity: ScmEntity) -> None:
        """Write down what executions have come to, if this set shows it."""

    def prepare_deletion(self, entity: ScmEntity, row: ScmRow) -> None:
        """Make way for the deletion of a row. Raises ``RowRefused``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmCall:
    """One operation, read and ready.

    ``company`` is the default one of the user that every token stands for.
    """

    desk: Desk
    actions: Actions
    company: str
    operation: ODataOperation
    root: str
    query: Query
    query_text: str

    @property
    def reader(self) -> ScmReader:
        """How this caller reads."""
        accepted = self.operation.headers.get("accept", "").replace(" ", "")
        kind = next(
            (one for one in ("full", "none") if f"odata.metadata={one}" in accepted), "minimal"
        )
        return ScmReader(
            store=self.desk.store,
            root=self.root,
            company=self.company,
            page_size=self.desk.switches.page_size,
            query_text=self.query_text,
            metadata=kind,
        )

    def document(self) -> ODataAnswer:
        """The service document."""
        self._require_method("GET")
        return self._json(metadata.list_scm_sets(self.root))

    def metadata(self) -> ODataAnswer:
        """``$metadata``."""
        self._require_method("GET")
        headers = {"Content-Type": "application/xml", "OData-Version": "4.0"}
        return ODataAnswer(
            status=HTTPStatus.OK,
            headers=headers,
            body=metadata.write_scm_csdl(self.desk.store.catalogue, self.actions.types),
        )

    def count(self, entity: ScmEntity) -> ODataAnswer:
        """``$count`` of a set, as text with a byte order mark before it."""
        self._require_method("GET")
        self.actions.refresh(entity)
        text = str(self.reader.count(entity, self.query)).encode()
        return ODataAnswer(
            status=HTTPStatus.OK,
            headers={"Content-Type": "text/plain", "OData-Version": "4.0"},
            body=_MARK + text,
        )

    def many(self, entity: ScmEntity) -> ODataAnswer:
        """A whole entity set: read, or insert into."""
        match self.operation.method:
            case "GET":
                self.actions.refresh(entity)
                return self._json(orjson.dumps(self.reader.page(entity, self.query)))
            case "POST":
                return self._insert(entity, payload.read_values(entity, self.operation.body))
            case "PATCH" | "PUT" | "DELETE":
                raise failures.bad_request(
                    "More than one resource was found for the request: a key is needed."
                )
            case _:
                raise self._not_allowed()

    def one(self, entity: ScmEntity, segment: Segment) -> ODataAnswer:
        """One row by its key."""
        key = _key(entity, segment)
        self.actions.refresh(entity)
        row = self.reader.find(entity, key, self.query)
        if row is None:
            return self._missing(entity, key)
        match self.operation.method:
            case "GET":
                return self._json(
                    orjson.dumps(self.reader.one(entity, row, self.query)),
                    {"ETag": write_etag(row)},
                )
            case "PATCH" | "PUT":
                self._check_etag(row)
                return self._update(entity, row)
            case "DELETE":
                self._check_etag(row)
                return self._do(entity, "Delete", lambda: self._delete(entity, row))
            case _:
                raise self._not_allowed()

    def action(self, entity: ScmEntity, name: str) -> ODataAnswer:
        """An action bound to an entity set."""
        self._require_method("POST")
        if not any(
            one.name == name and one.entity_set == entity.name for one in self.actions.types
        ):
            raise failures.no_resource(f"The action '{name}' is not bound to '{entity.name}'.")
        kind, value = self.actions.run(
            name, payload.read_object(self.operation.body or b"{}"), self.root
        )
        if not kind:
            return ODataAnswer(status=HTTPStatus.NO_CONTENT, headers={"OData-Version": "4.0"})
        return self._json(
            orjson.dumps({"@odata.context": f"{self.root}/data/$metadata#{kind}", "value": value})
        )

    def _missing(self, entity: ScmEntity, key: Mapping[str, str]) -> ODataAnswer:
        method, switches = self.operation.method, self.desk.switches
        if method == "PATCH":
            if switches.patch_missing == "insert" and "if-match" not in self.operation.headers:
                values = payload.read_values(entity, self.operation.body)
                return self._insert(entity, {**values, **key})
            raise failures.bad_request("No resources were found when selecting for update.")
        listed = ", ".join(f"{name}='{value}'" for name, value in key.items())
        raise failures.no_resource(
            f"Resource not found for the segment '{entity.name}'. No row has the key {listed}."
        )

    def _insert(self, entity: ScmEntity, values: Mapping[str, Any]) -> ODataAnswer:
        _refuse_readonly(entity)
        if not entity.shared:
            values = {**values, COMPANY: str(values.get(COMPANY) or self.company).lower()}
        try:
            row = self.desk.insert(entity, values)
        except RowRefused as refusal:
            raise failures.write_failed(
                infolog.render_for_odata(entity, self._translate(refusal))
            ) from refusal
        body = orjson.dumps(self.reader.one(entity, row, Query()))
        headers = {
            "Location": f"{self.root}/data/{write_row_address(entity, row)}",
            "ETag": write_etag(row),
        }
        return self._json(body, headers, status=HTTPStatus.CREATED)

    def _update(self, entity: ScmEntity, row: ScmRow) -> ODataAnswer:
        values = payload.read_values(entity, self.operation.body)
        return self._do(entity, "Write", lambda: self.desk.update(entity, row, values))

    def _delete(self, entity: ScmEntity, row: ScmRow) -> None:
        with self.desk.store.together():
            self.actions.prepare_deletion(entity, row)
            self.desk.delete(entity, row)

    def _do(self, entity: ScmEntity, verb: str, work: Callable[[], object]) -> ODataAnswer:
        _refuse_readonly(entity)
        try:
            work()
        except RowRefused as refusal:
            raise failures.write_failed(
                infolog.render_for_odata(entity, self._translate(refusal), verb)
            ) from refusal
        return ODataAnswer(status=HTTPStatus.NO_CONTENT, headers={"OData-Version": "4.0"})

    def _translate(self, refusal: RowRefused) -> Sequence[Info]:
        return translate_infos(refusal.infos, self.desk.switches.language)

    def _check_etag(self, row: ScmRow) -> None:
        wanted = self.operation.headers.get("if-match", "*")
        if wanted != "*" and write_etag(row) not in [one.strip() for one in wanted.split(",")]:
            raise ScmFailure(
                status=HTTPStatus.PRECONDITION_FAILED,
                message=(
                    "The request does not match the current version of the resource: its etag has "
                    "changed."
                ),
            )

    def _json(
        self, body: bytes, headers: Mapping[str, str] | None = None, status: int = HTTPStatus.OK
    ) -> ODataAnswer:
        kind = f"application/json; odata.metadata={self.reader.metadata}"
        return ODataAnswer(
            status=status,
            headers={"Content-Type": kind, "OData-Version": "4.0", **(headers or {})},
            body=body,
        )

    def _require_method(self, method: str) -> None:
        if self.operation.method != method:
            raise self._not_allowed()

    def _not_allowed(self) -> ScmFailure:
        text = f"The requested resource does not support http method '{self.operation.method}'."
        return ScmFailure(status=HTTPStatus.METHOD_NOT_ALLOWED, message=text)


def _refuse_readonly(entity: ScmEntity) -> None:
    if entity.readonly:
        raise failures.write_failed(
            f"Write failed for table row of type '{entity.aot}'. Infolog: Error: The entity is "
            "read-only."
        )


def _key(entity: ScmEntity, segment: Segment) -> dict[str, str]:
    given = dict(segment.keys or {})
    if len(given) == 1 and "" in given and len(entity.keys) == 1:
        given = {entity.keys[0].name: given[""]}
    names = [one.name for one in entity.keys]
    if set(given) != set(names):
        raise failures.bad_request(
            f"The key of '{entity.name}' needs each of its properties by name: {', '.join(names)}."
        )
    values = {name: given[name].value for name in names}
    if not all(isinstance(value, str) for value in values.values()):
        raise failures.bad_request(f"The key values of '{entity.name}' are texts in single quotes.")
    return {name: str(value) for name, value in values.items()}
