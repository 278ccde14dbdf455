"""Change tracking: a full read that ends in a delta link, and what changed since one.

A delta token is ``<version>!<moment>``; it lives as many days as the organisation's *Expire Change
Tracking In Days* says (7). Changed rows come first, in order of their versions, then deletions.
What changes while pages are read belongs to the next delta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from pipeline.sandbox.odata.columns import Sql, compose
from pipeline.sandbox.odata.tree import ODataError, ValueKind
from pipeline.sandbox.sales import failures, paging
from pipeline.sandbox.sales.call import SalesCall
from pipeline.sandbox.sales.paging import Term
from pipeline.sandbox.sales.prefer import PAGE
from pipeline.sandbox.sales.reading import SalesReader, make_next_link, write_url
from pipeline.sandbox.sales.schema import SalesTable
from pipeline.sandbox.wire.batch import ODataAnswer

_FORM: Final = "%m/%d/%Y %H:%M:%S"
_REFUSED: Final = ("filter", "orderby", "expand", "top")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    """The versions that one read of changes covers; ``since`` is null for a full read."""

    since: int | None
    upto: int


def asks_for_changes(call: SalesCall) -> bool:
    """Whether an operation tracks changes, or continues one that does."""
    return (
        call.prefer.tracking
        or call.query.deltatoken is not None
        or 'istracking="True"' in (call.query.skiptoken or "")
    )


def answer_changes(call: SalesCall, table: SalesTable) -> ODataAnswer:
    """A page of a tracked read, or of changes."""
    _check(call, table)
    position = _position(call)
    window = _window(call, position)
    if window.since is None:
        return _full(call, table, window)
    return _answer_changed(call, table, window, position)


def count_changes(call: SalesCall, table: SalesTable) -> int:
    """How many rows changed, or were deleted, since the token."""
    since = _since(call, call.query.deltatoken or "")
    changed = call.store.rows(
        f"SELECT count(*) FROM {table.name} WHERE versionnumber > ?", (since,)
    )[0][0]
    deleted = "SELECT count(*) FROM _deleted WHERE logicalname = ? AND version > ?"
    total: int = changed + call.store.rows(deleted, (table.name, since))[0][0]
    return total


def _check(call: SalesCall, table: SalesTable) -> None:
    refused = [option for option in _REFUSED if option in call.query.given]
    if refused:
        raise ODataError(
            f'The "${refused[0]}" query parameter isn\'t supported when Change Tracking is enabled.'
        )
    if not table.tracked:
        message = f"Change tracking is not enabled for entity {table.name}."
        raise failures.bad_call(message, "0x80072491")


def _position(call: SalesCall) -> paging.Position:
    return (
        paging.Position(page=0)
        if call.query.skiptoken is None
        else paging.read_outer(call.query.skiptoken)
    )


def _window(call: SalesCall, position: paging.Position) -> _Window:
    if position.notes:
        since = position.notes.get("since", "")
        return _Window(
            since=int(since) if since.isdigit() else None, upto=int(position.notes.get("upto", "0"))
        )
    since_token = None if call.query.deltatoken is None else _since(call, call.query.deltatoken)
    return _Window(since=since_token, upto=call.store.version)


def _since(call: SalesCall, token: str) -> int:
    """The version in a delta token.

    Raises ``SalesFailure`` for one that is none, or that has expired.
    """
    version, _, moment = token.partition("!")
    try:
        since, made = int(version), datetime.strptime(moment, _FORM).replace(tzinfo=UTC)
    except ValueError as error:
        raise failures.bad_call(f"The delta token '{token}' is invalid.", "0x80040203") from error
    days = call.store.rows("SELECT expirechangetrackingindays FROM organization")[0][0]
    if call.now() - made >= timedelta(days=days):
        message = (
            "Version stamp associated with the client has expired. Please perform a full sync."
        )
        raise failures.bad_call(message, "0x80044352")
    return since


def _full(call: SalesCall, table: SalesTable, window: _Window) -> ODataAnswer:
    shape = call.shape(table)
    page = SalesReader(store=call.store, shape=shape, tracking=True, notes=_notes(window)).page()
    context = call.context(f"{table.set_name}{shape.context()}")
    if page.token is not None:
        return _page(call, context, page.body.decode(), page.token)
    return _last(call, context, page.body.decode(), window)


def _answer_changed(
    call: SalesCall, table: SalesTable, window: _Window, position: paging.Position
) -> ODataAnswer:
    size = call.prefer.page or PAGE
    since, phase = int(window.since or 0), position.notes.get("phase", "changed")
    begun = int(position.last.get("version") or since)
    context = call.context(f"{table.set_name}{call.shape(table).context()}/$delta")
    rows = _rows(call, table, window, begun, size) if phase == "changed" else []
    if len(rows) > size:
        return _next(call, context, rows[:size], window, (position.page + 1, "changed", begun))
    room, begun = size - len(rows), since if phase == "changed" else begun
    gone = _deletions(call, table, window, begun, room)
    if len(gone) > room:
        begun = gone[room - 1][1] if room else begun
        return _next(
            call, context, rows + gone[:room], window, (position.page + 1, "deleted", begun)
        )
    return _last(call, context, ",".join(text for text, _ in rows + gone), window)


def _rows(
    call: SalesCall, table: SalesTable, window: _Window, begun: int, size: int
) -> list[tuple[str, int]]:
    shape = call.shape(table)
    alias = shape.scope.alias
    where = Sql(
        text=f"{alias}.versionnumber > ? AND {alias}.versionnumber <= ?",
        values=(begun, window.upto),
    )
    order = f"ORDER BY {alias}.versionnumber LIMIT {size + 1}"
    sql = compose(
        f"SELECT {{}}, {alias}.versionnumber FROM {table.name} AS {alias} WHERE {{}} {order}",
        shape.row(),
        where,
    )
    return [(text, version) for text, version in call.store.rows(sql.text, sql.values)]


def _deletions(
    call: SalesCall, table: SalesTable, window: _Window, begun: int, size: int
) -> list[tuple[str, int]]:
    sql = (
        "SELECT id, version FROM _deleted WHERE logicalname = ? AND version > ? AND version <= ? "
        f"ORDER BY version LIMIT {size + 1}"
    )
    context = f"{call.root}/$metadata#{table.set_name}/$deletedEntity"
    found = call.store.rows(sql, (table.name, begun, window.upto))
    return [
        (f'{{"@odata.context":"{context}","id":"{row_id}","reason":"deleted"}}', version)
        for row_id, version in found
    ]


def _next(
    call: SalesCall,
    context: str,
    found: list[tuple[str, int]],
    window: _Window,
    reached: tuple[int, str, int],
) -> ODataAnswer:
    """A page of changes that is not the last.

    Its cookie says which of the two phases it came to, and how far.
    """
    number, phase, begun = reached
    last = found[-1][1] if phase == "changed" else begun
    term = Term(name="version", sql=Sql(text=""), kind=ValueKind.INTEGER)
    inner = paging.write_cookie(number, [term], [last], [last], **_notes(window), phase=phase)
    return _page(
        call,
        context,
        ",".join(text for text, _ in found),
        paging.write_outer_cookie(number, inner, tracking=True),
    )


def _notes(window: _Window) -> Mapping[str, object]:
    return {"since": "" if window.since is None else window.since, "upto": window.upto}


def _page(call: SalesCall, context: str, body: str, token: str) -> ODataAnswer:
    link = make_next_link(call.address, _without_token(call.query_text), token)
    return call.json(f'{{{context}"value":[{body}],"@odata.nextLink":{link}}}'.encode())


def _last(call: SalesCall, context: str, body: str, window: _Window) -> ODataAnswer:
    token = quote(f"{window.upto}!{call.now().strftime(_FORM)}", safe="")
    kept = [
        part
        for part in _without_token(call.query_text).split("&")
        if part and "skiptoken=" not in part
    ]
    link = write_url(call.address, [*kept, f"$deltatoken={token}"])
    return call.json(f'{{{context}"value":[{body}],"@odata.deltaLink":{link}}}'.encode())


def _without_token(query_text: str) -> str:
    return "&".join(part for part in query_text.split("&") if "deltatoken=" not in part)
