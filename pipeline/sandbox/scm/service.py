"""The OData service of the SCM twin.

One operation in, one answer out, alone or as part of a batch.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from pipeline.sandbox.odata.address import parse_address
from pipeline.sandbox.odata.options import parse_query
from pipeline.sandbox.odata.tree import ODataError
from pipeline.sandbox.scm import failures
from pipeline.sandbox.scm.call import Actions, ScmCall
from pipeline.sandbox.scm.entities import DATA_ENTITIES, ScmEntity
from pipeline.sandbox.scm.failures import ScmFailure
from pipeline.sandbox.scm.writing import Desk
from pipeline.sandbox.wire import batch, multipart
from pipeline.sandbox.wire.batch import BatchError, ChangesetAnswer, ODataAnswer, ODataOperation

SCM_BATCH_LIMIT: Final = 5000

_ROOT: Final = "/data"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmService:
    """One SCM. ``company`` is the default one of the user that every token stands for."""

    desk: Desk
    actions: Actions
    company: str

    def handle(self, operation: ODataOperation, root: str) -> ODataAnswer:
        """Answer an operation. ``root`` is scheme and host that the caller sees."""
        try:
            return self._handle(operation, root)
        except ScmFailure as failure:
            return failure.answer(nested=self.desk.switches.nested_cause)
        except ODataError as error:
            return failures.bad_request(
                f"The query specified in the URI is not valid. {error}"
            ).answer()

    def batch(self, operation: ODataOperation, root: str) -> ODataAnswer:
        """Answer a batch: 200 whatever became of its parts."""
        try:
            parts = multipart.parse_batch(
                operation.headers.get("content-type", ""), operation.body, limit=SCM_BATCH_LIMIT
            )
        except BatchError as error:
            return failures.bad_request(str(error)).answer()
        go_on = (
            self.desk.switches.batch_goes_on
            or "odata.continue-on-error" in operation.headers.get("prefer", "")
        )
        result = batch.run_batch(
            parts,
            send=lambda one: self.handle(one, root),
            transaction=self.desk.store.transaction,
            continue_on_error=go_on,
        )
        kind, body = multipart.render_batch(
            [_as_seen(part) for part in result.parts], failed_in_changeset=True
        )
        return ODataAnswer(
            status=HTTPStatus.OK, headers={"Content-Type": kind, "OData-Version": "4.0"}, body=body
        )

    def _handle(self, operation: ODataOperation, root: str) -> ODataAnswer:
        path, query_text = operation.target(f"{root}{_ROOT}/$batch")
        below = path.removeprefix(_ROOT)
        segments = parse_address(below)
        call = ScmCall(
            desk=self.desk,
            actions=self.actions,
            company=self.company,
            operation=operation,
            root=root,
            query=parse_query(query_text),
            query_text=query_text,
        )
        match [segment.name for segment in segments]:
            case []:
                return call.document()
            case ["$metadata"]:
                return call.metadata()
            case [name]:
                return (
                    call.one(self._find_entity(name), segments[0])
                    if segments[0].keys
                    else call.many(self._find_entity(name))
                )
            case [name, "$count"] if not segments[0].keys:
                return call.count(self._find_entity(name))
            case [name, action] if action.startswith(f"{DATA_ENTITIES}."):
                return call.action(
                    self._find_entity(name), action.removeprefix(f"{DATA_ENTITIES}.")
                )
            case _:
                pass
        raise failures.no_resource(
            f"No HTTP resource was found that matches the request URI '{root}{path}'."
        )

    def _find_entity(self, name: str) -> ScmEntity:
        entity = self.desk.store.catalogue.entities.get(name)
        if entity is None:
            raise failures.no_resource(f"Resource not found for the segment '{name}'.")
        return entity


def add_trace(answer: ODataAnswer, seconds: float) -> ODataAnswer:
    """The answer with the headers that name the activity and how long it took."""
    trace = {"ms-dyn-aid": str(uuid.uuid4()), "server-timing": f"dur={seconds * 1000:.0f}"}
    return replace(answer, headers={**answer.headers, **trace})


def _as_seen(part: batch.PartAnswer) -> batch.PartAnswer:
    """A changeset that fails does so with 500, unless it is a 429, whose wait must arrive."""
    if not isinstance(part, ChangesetAnswer) or all(answer.ok for answer in part.answers):
        return part
    failed = part.answers[0]
    if failed.status == HTTPStatus.TOO_MANY_REQUESTS:
        return part
    return ChangesetAnswer(answers=(replace(failed, status=HTTPStatus.INTERNAL_SERVER_ERROR),))
