"""Numbers of accounts and contacts that are other keys than they look.

SCM compares keys sign by sign: one with a sign that nobody sees, or that a tool wrote as a number,
names another record, or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.errors import count_of
from pipeline.extract.landing import LandedTable
from pipeline.run.findings import RunFinding
from schemas.keys import BLANK_SIGN, HIDDEN_SIGN
from schemas.sales import USUAL_NUMBER
from sql.query import query
from sql.session import Session

_TEXT: Final = "VARCHAR"
_KEYS: Final = {"accounts": "accountnumber", "contacts": "msdynce_contactnumber"}
_CODES: Final = {"hidden": "key_hidden", "signs": "sign_for_blank", "fractions": "key_rewritten"}
_NO_KEY: Final = r"[^\s\S]"
"""What no key is."""


def report_keys(
    session: Session, table: LandedTable, *, signs: bool = True
) -> Iterator[RunFinding]:
    """What the keys of a table look like; the session has ``<table>_landed``.

    With ``signs``, keys that are nothing but a sign are told as well.
    """
    column, rows = _KEYS.get(table.table, ""), f"{table.table}_landed"
    if session.columns(rows).get(column) != _TEXT:
        return
    usual = USUAL_NUMBER if table.table == "contacts" else _NO_KEY
    text = query("plan/odd_keys", rows=rows, column=column)
    [seen] = session.frame(text, usual=usual, hidden=HIDDEN_SIGN, sign=BLANK_SIGN).rows(named=True)
    quiet = set() if signs else {"signs"}
    if seen["decimals"] or column in table.fractions:
        quiet.add("fractions")
    for kind, code in _CODES.items():
        if seen[kind] and kind not in quiet:
            place = (seen[f"{kind}_file"], seen[f"{kind}_line"])
            yield _report(code, table, column, seen[kind], *place)
    if seen["padded"]:
        short = query("plan/short_keys", rows=rows, column=column)
        count, file, line = session.frame(short, longest=seen["longest"]).row(0)
        if count:
            yield _report("key_shortened", table, column, count, file, line)


def _report(
    code: str, table: LandedTable, column: str, count: int, file: str, line: int
) -> RunFinding:
    cells = count_of(count, "cell") + (", the first" if count > 1 else "")
    return RunFinding(
        code=code,
        detail=f"{table.table}, {cells} in {file} row {line}",
        column=column,
        source_file=file,
        source_line=line,
        rows=count,
    )
