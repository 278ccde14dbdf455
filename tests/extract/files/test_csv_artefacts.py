"""What spreadsheets put around values goes; everything like it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.reading import HEADER, contacts, named, write


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('="01067"', "01067"),
        ('"=""01067"""', "01067"),
        ('"="""""', None),
        ("'+49 30 0001", "+49 30 0001"),
        ("'-7.50", "-7.50"),
        ("'t Hart", "'t Hart"),
        ("'+1' is meant", "'+1' is meant"),
        ("=1+1", "=1+1"),
        ('"=""a"" & ""b"""', '="a" & "b"'),
        ("'@home", "'@home"),
        ("Brown_x000D_Grey", "Brown\rGrey"),
        ("Brown_x000Z_Grey", "Brown_x000Z_Grey"),
    ],
)
def test_a_wrapped_value_is_unwrapped(tmp_path: Path, written: str, meant: str | None) -> None:
    text = f"{HEADER}\n{named('Brown')}\n{named(written)}\n"
    frame, unreadable = contacts(
        write(tmp_path / "export", {"contacts.csv": text}), tmp_path / "in"
    )
    assert frame["lastname"].to_list() == ["Brown", meant]
    assert not unreadable
