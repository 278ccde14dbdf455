"""The commands as they are typed.

Exit codes, one JSON object with always the same keys, text without values.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.app import main
from pipeline.run.folder import RunFolder, find_runs

KEYS = {
    "command", "run", "folder", "verdict", "balanced", "counts", "reasons", "findings", "outcomes",
    "forecast", "items",
}  # fmt: skip

Words = tuple[str, ...]


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand where ``runs`` and the project file are."""
    monkeypatch.chdir(home)
    return home


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    capsys.readouterr()
    code = main([*words, "--json"])
    out, err = capsys.readouterr()
    loaded = json.loads(out)
    assert isinstance(loaded, dict)
    return code, loaded, err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("report", "latest"), 0),
        (("report", "latest", "--to", "not/there/page.html"), 0),
        (("findings", "latest"), 0),
        (("findings", "latest", "--to", "f.csv"), 0),
        (("findings", "latest", "--worklist", "w.csv"), 0),
        (("findings", "latest", "--repair", "r.csv"), 0),
        (("verify", "latest"), 0),
        (("confirm", "latest"), 1),
        (("retry", "latest", "--project", "source/p2c.toml"), 1),
        (("undo", "latest"), 1),
        (("purge", "--older-than", "0"), 0),
    ],
)
def test_every_command_answers_with_one_object(
    here: Path, capsys: pytest.CaptureFixture[str], words: Words, code: int
) -> None:
    found, answer, _ = said(capsys, *words)
    assert found == code
    assert answer.keys() == KEYS
    assert answer["command"] == words[0]
    if words[0] not in ("retry", "undo", "purge"):
        assert answer["run"] == str(find_runs(here / "runs")[0].run)
        assert answer["counts"] == {
            "customer": 5,
            "contact": 3,
            "skipped": 1,
            "held": 1,
            "rejected": 1,
        }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("report", "2025"), "no run has an id"),
        (("findings", "latest", "--to", "a.csv", "--repair", "b.csv"), "name only one of them"),
        (("findings", "latest", "--code", "to_long"), "Did you mean 'too_long'"),
        (("reconcile", "latest"), "--scm FILE"),
        (("retry", "latest", "--project", "none.toml"), "none.toml"),
        (("test", "none.toml", "--project", "source/p2c.toml"), "there is no file"),
    ],
)
def test_wrong_use_exits_2_with_a_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], words: Words, says: str
) -> None:
    code, answer, err = said(capsys, *words)
    assert code == 2, answer
    assert says in answer["error"]["message"] + answer["error"]["where"]
    assert says in err
    assert here.is_dir()


def test_an_altered_run_exits_4_and_a_damaged_one_still_gets_its_page(
    here: Path, run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run.outcomes.write_bytes(run.outcomes.read_bytes()[:-50])
    code, answer, _ = said(capsys, "verify", "latest")
    assert (code, answer["verdict"], answer["balanced"]) == (4, "broken", False)
    assert "outcomes.parquet" in {
        one["what"] for one in answer["items"] if one["status"] == "altered"
    }
    assert said(capsys, "report", "latest")[0] == 0
    assert (here / "runs" / run.run / "report.html").is_file()


def test_text_for_people_holds_no_values(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("report",), ("findings",), ("verify",), ("confirm",), ("undo",)):
        main([*words, str(find_runs(here / "runs")[0].run)])
        out, err = capsys.readouterr()
        assert out
        assert not [
            name for name in ("Number1", "L" * 26, "@example.com", "Traceback") if name in out + err
        ]


def test_purge_asks_nobody_without_a_terminal(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", "--older-than", "0"]) == 0
    assert "Nothing was removed; --yes removes it." in capsys.readouterr().out
    assert main(["purge", "--older-than", "0", "--yes"]) == 0
    assert "Their personal data was removed." in capsys.readouterr().out
    assert not (find_runs(here / "runs")[0].path / "rows").exists()
