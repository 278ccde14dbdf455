"""Failures of the SCM twin's OData, in the shapes that F&O gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import orjson

from pipeline.sandbox.wire.batch import ODataAnswer

JSON: Final = "application/json; odata.metadata=minimal; odata.streaming=true"

_WRITE: Final = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"
_THROWN: Final = "Exception has been thrown by the target of an invocation."
_INVOCATION: Final = "System.Reflection.TargetInvocationException"
_STACK: Final = (
    "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update."
    "UpdateManager.SaveChanges()"
)


@dataclass(kw_only=True)
class ScmFailure(Exception):
    """A request fails.

    ``inner`` is what F&O puts into ``innererror``; ``type`` the .NET type that it names there.
    """

    status: int
    message: str
    inner: str = ""
    type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, *, nested: bool = False) -> ODataAnswer:
        """The failure as an answer; its cause a level deeper, if it is to be nested."""
        error: dict[str, object] = {"code": "", "message": self.message}
        if self.inner:
            cause = {"message": self.inner, "type": self.type, "stacktrace": _STACK}
            thrown = {"message": _THROWN, "type": _INVOCATION, "stacktrace": _STACK}
            error["innererror"] = {**thrown, "internalexception": cause} if nested else cause
        headers = {"Content-Type": JSON, "OData-Version": "4.0", **self.headers}
        return ODataAnswer(status=self.status, headers=headers, body=orjson.dumps({"error": error}))


def write_failed(inner: str, status: int = HTTPStatus.BAD_REQUEST) -> ScmFailure:
    """A row was refused."""
    return ScmFailure(status=status, message="An error has occurred.", inner=inner, type=_WRITE)


def bad_request(message: str) -> ScmFailure:
    """The request makes no sense."""
    return ScmFailure(status=HTTPStatus.BAD_REQUEST, message=message)


def bad_payload(inner: str) -> ScmFailure:
    """The body of a request makes no sense."""
    return ScmFailure(
        status=HTTPStatus.BAD_REQUEST,
        message="An error has occurred.",
        inner=inner,
        type="Microsoft.OData.ODataException",
    )


def action_failed(inner: str, status: int = HTTPStatus.BAD_REQUEST) -> ScmFailure:
    """An action of Data management refuses, or breaks off."""
    return ScmFailure(
        status=status,
        message="An error has occurred.",
        inner=inner,
        type="Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataActionException",
    )


def no_resource(message: str) -> ScmFailure:
    """What the URL names is not there."""
    return ScmFailure(status=HTTPStatus.NOT_FOUND, message=message)
