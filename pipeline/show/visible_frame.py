"""Frames whose text does no harm when it is shown: each cell as ``visible`` shows a text."""

from __future__ import annotations

from typing import Final

import polars as pl

from pipeline.show.visible import make_visible

_HIDDEN_CLASS: Final = r"[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]"


def make_frame_visible(frame: pl.DataFrame) -> pl.DataFrame:
    """Make all text of a frame ``make_visible``."""
    changed = []
    for name, dtype in frame.schema.items():
        if dtype == pl.String:
            odd = frame[name].str.contains(_HIDDEN_CLASS).fill_null(value=False)
            if odd.any():
                texts = [make_visible(text) for text in frame[name].filter(odd)]
                changed.append(frame[name].scatter(odd.arg_true(), texts))
    return frame.with_columns(changed)
