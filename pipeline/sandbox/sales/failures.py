"""Failures of the Sales twin in the shape that Dataverse gives them.

An HRESULT in hex, a message, notes if asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import orjson

from pipeline.sandbox.wire.batch import ODataAnswer

HEADERS: Final = {
    "Content-Type": "application/json; odata.metadata=minimal",
    "OData-Version": "4.0",
}

_NOTES: Final = "Microsoft.PowerApps.CDS"
_HELP: Final = "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a"


@dataclass(kw_only=True)
class SalesFailure(Exception):
    """A request fails. ``code`` is an HRESULT as ``0x80040217``, or empty."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, *, noted: bool = False) -> ODataAnswer:
        """The failure as an answer; ``noted`` when all annotations were asked for."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if noted:
            error |= {
                f"@{_NOTES}.ErrorDetails.OperationStatus": "0",
                f"@{_NOTES}.ErrorDetails.SubErrorCode": str(int(self.code or "0", 16)),
                f"@{_NOTES}.HelpLink": f"{_HELP}{self.code.removeprefix('0x')}&client=platform",
                f"@{_NOTES}.InnerError.Message": self.message,
            }
        return ODataAnswer(
            status=self.status,
            headers={**HEADERS, **self.headers},
            body=orjson.dumps({"error": error}),
        )


def bad_call(message: str, code: str = "0x80060888") -> SalesFailure:
    """The request cannot be understood."""
    return SalesFailure(status=HTTPStatus.BAD_REQUEST, code=code, message=message)


def bad_body(table: str, message: str) -> SalesFailure:
    """The body cannot be understood."""
    text = (
        f"Error identified in Payload provided by the user for Entity :'{table}', For more "
        "information on this error please follow this help link "
        f"https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {message}"
    )
    return bad_call(text, "0x80048d19")


def no_segment(name: str) -> SalesFailure:
    """Nothing has this name."""
    return SalesFailure(
        status=HTTPStatus.NOT_FOUND,
        code="0x8006088a",
        message=f"Resource not found for the segment '{name}'.",
    )


def no_property(name: str, table: str) -> SalesFailure:
    """A table does not have this column."""
    return bad_call(
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    )


def no_row(table: str, row_id: str) -> SalesFailure:
    """There is no row with this id."""
    return SalesFailure(
        status=HTTPStatus.NOT_FOUND,
        code="0x80040217",
        message=f"{table} With Id = {row_id} Does Not Exist",
    )


def no_rows(table: str, ids: str) -> SalesFailure:
    """Rows that a bulk message names are not there."""
    message = f"{table.capitalize()} With Ids = {ids} Do Not Exist"
    return SalesFailure(status=HTTPStatus.NOT_FOUND, code="0x80040217", message=message)


def no_key(table: str) -> SalesFailure:
    """There is no row with this alternate key."""
    message = f"A record with the specified key values does not exist in {table} entity"
    return SalesFailure(status=HTTPStatus.NOT_FOUND, code="0x80060891", message=message)


def wrong_method(method: str) -> SalesFailure:
    """The resource does not know this method."""
    message = f"The requested resource does not support http method '{method}'."
    return SalesFailure(status=HTTPStatus.METHOD_NOT_ALLOWED, code="0x80060888", message=message)


def version_mismatch() -> SalesFailure:
    """An ``If-Match`` does not match."""
    message = "The version of the existing record doesn't match the RowVersion property provided."
    return SalesFailure(status=HTTPStatus.PRECONDITION_FAILED, code="0x80060882", message=message)


def row_exists() -> SalesFailure:
    """An ``If-None-Match: *`` met a row."""
    message = "A record with matching key values already exists."
    return SalesFailure(status=HTTPStatus.PRECONDITION_FAILED, code="0x80040237", message=message)


def duplicate_id() -> SalesFailure:
    """A new row has the id of another one."""
    return SalesFailure(
        status=HTTPStatus.PRECONDITION_FAILED,
        code="0x80040237",
        message="Cannot insert duplicate key.",
    )


def duplicate_key(label: str) -> SalesFailure:
    """A row would have the alternate key of another one."""
    message = (
        f"A record that has the attribute values {label} already exists. The entity key {label} "
        "requires that this set of "
        "attributes contains unique values. Select unique values and try again."
    )
    return SalesFailure(status=HTTPStatus.PRECONDITION_FAILED, code="0x80060892", message=message)


def invalid(message: str, code: str) -> SalesFailure:
    """A value that a column does not take."""
    return bad_call(f"A validation error occurred. {message}", code)


def not_implemented(message: str) -> SalesFailure:
    """Dataverse knows it, the twin does not."""
    return SalesFailure(status=HTTPStatus.NOT_IMPLEMENTED, code="0x80040203", message=message)
