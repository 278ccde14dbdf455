r"""What spreadsheets leave in values: ``="01067"``, ``'+49 30 1`` to keep them text; ``_x000D_``.

No value of Sales looks so, and Excel shows them without; the last is a line break. The apostrophe
goes only before a number or phone number with a sign in front; before anything else it could be the
user's own.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.extract.files.csv_text import has_pair
from pipeline.extract.files.workbook_cells import ESCAPE, decode_breaks
from pipeline.extract.spellings import Cells

_FORMULA: Final = r'^="([^"]*)"$'
_ESCAPE: Final = ESCAPE.encode()
_APOSTROPHE: Final = r"^'([+-][0-9 ()/.-]*)$"


def may_be_wrapped(block: bytes) -> bool:
    """Whether a block of CSV could hold such a value."""
    if has_pair(block, b"_", b"x") and _ESCAPE in block:
        return True
    if has_pair(block, b"=", b'"'):
        return True
    return has_pair(block, b"'", b"+-")


def unwrap_formulas(cells: Cells) -> Cells:
    """The values without what is around them; empty ones are null."""
    for pattern in (_FORMULA, _APOSTROPHE):
        if pc.any(pc.match_substring_regex(cells, pattern)).as_py():
            cells = pc.replace_substring_regex(cells, pattern, r"\1")
            cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
    return decode_breaks(cells)
