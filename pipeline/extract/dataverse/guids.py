"""The order of ids.

SQL Server compares GUIDs by their last six bytes first; ranges of ids follow that order. The macro
``guid_order`` of ``sql/macros.sql`` means the same.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_TEXT: Final = 36
_ORDER: Final = (
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    31,
    32,
    33,
    34,
    35,
    19,
    20,
    21,
    22,
    16,
    17,
    14,
    15,
    11,
    12,
    9,
    10,
    6,
    7,
    4,
    5,
    2,
    3,
    0,
    1,
)
"""Places of a GUID's hex digits in its text, the most significant first."""
_HEX: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789abcdef", np.uint8))
_PLACES: Final = np.array(_ORDER)
_DASHES: Final = np.array((8, 13, 18, 23))

HIGHEST: Final = (1 << 128) - 1


def encode_guids(ids: pa.Array | pa.ChunkedArray) -> NDArray[np.bytes_] | None:
    """For each id 32 bytes that compare as SQL Server compares ids.

    Null if one is missing or is not a lower-case GUID.
    """
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    if array.null_count or not len(array):
        return None if array.null_count else np.empty(0, "S32")
    lengths = np.diff(
        np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    )
    if (lengths != _TEXT).any():
        return None
    begin = int(np.frombuffer(array.buffers()[1], np.int32)[array.offset])
    letters = np.frombuffer(array.buffers()[2], np.uint8)[
        begin : begin + _TEXT * len(array)
    ].reshape(-1, _TEXT)
    digits = letters.take(_PLACES, axis=1)
    if not _HEX.take(digits).all() or (letters.take(_DASHES, axis=1) != ord("-")).any():
        return None
    keys: NDArray[np.bytes_] = digits.view("S32")[:, 0]
    return keys


def encode_guid(text: str) -> int:
    """A GUID's place in SQL Server's order."""
    return int("".join(text[place] for place in _ORDER), 16)


def decode_guid(order: int) -> str:
    """The GUID at a place in SQL Server's order."""
    letters = ["-"] * _TEXT
    for place, digit in zip(_ORDER, f"{order:032x}", strict=True):
        letters[place] = digit
    return "".join(letters)
