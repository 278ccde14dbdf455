"""The pages as a site: it is built without a warning, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenes.places import ROOT

LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\ssrc=["']?(?:https?:)?//|"""
    r"""<link\b(?=[^>]*rel=["']?(?:stylesheet|preconnect|preload|icon))"""
    r"""[^>]*href=["']?(?:https?:)?//""",
    re.IGNORECASE,
)
"""What a browser would fetch from another host when it opens a page."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", home / "docs", ignore=shutil.ignore_patterns("inbox"))
    (home / "docs" / "inbox").mkdir()
    (home / "docs" / "inbox" / "later.md").write_text("# Later\n", encoding="utf-8")
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    (home / "zensical.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    built = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return home / str(tomllib.loads(text)["project"]["site_dir"])


def find_foreign(site: Path) -> Iterator[str]:
    for page in site.rglob("*.html"):
        yield from (f"{page.name}: {one}" for one in LOADED.findall(page.read_text("utf-8")))
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        yield from (f"{sheet.name}: {one}" for one in re.findall(r"url\([\"']?https?:[^)]*", text))


def test_the_site_is_read_without_a_network(site: Path) -> None:
    assert (site / "index.html").is_file()
    assert (site / "reference" / "codes.html").is_file()
    assert list(find_foreign(site)) == []


def test_texts_that_wait_for_their_page_are_not_in_the_site(site: Path) -> None:
    assert list(site.rglob("later*")) == []


def test_what_comes_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<script src="https://cdn.example.com/x.js"></script><img src="x.png">'
        '<link rel="stylesheet" href="//fonts.example.com/css"><a href="https://example.com">x</a>',
        encoding="utf-8",
    )
    assert len(list(find_foreign(tmp_path))) == 2
