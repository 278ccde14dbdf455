"""The installed program as a process.

Completion, pipes, signals, terminals that cannot write everything.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenes.command_line import P2c
from tests.scenes.places import ROOT

SCRIPT = Path(sys.executable).parent / "p2c"
P2C = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "pipeline.cli"]
HOME = ROOT
STREAMS = {"runs >&-": "0", "runs >/dev/full": "3", "--version >/dev/full": "3"}
"""What is written where nothing can be, and the exit code."""


def p2c(*words: str, cwd: Path = HOME, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*P2C, *words],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("p2c pl", {"plan"}),
        ("p2c plan --r", {"--runs"}),
        ("p2c templates Con", {"Contacts", "ContactToCustomer"}),
        ("p2c apply --runs RUNS ", {"latest", "20260102T030405Z-abcd"}),
        ("p2c explain X --runs RUNS --run 2026", {"20260102T030405Z-abcd"}),
        ("p2c plan --set destination.curr", {"destination.currency="}),
    ],
)
def test_the_shell_completes_commands_flags_tasks_and_runs(
    tmp_path: Path, typed: str, offered: set[str]
) -> None:
    (tmp_path / "RUNS" / "20260102T030405Z-abcd").mkdir(parents=True)
    (tmp_path / "RUNS" / "loaded").mkdir()
    words = {
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
        "_P2C_COMPLETE": "complete_bash",
    }
    assert set(p2c(cwd=tmp_path, **words).stdout.split()) == offered


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/full")
def test_streams_that_are_closed_or_full_end_with_a_sentence_or_nothing(tmp_path: Path) -> None:
    said = [f"{P2C[0]} {' '.join([*P2C[1:], words])} 2>&3; echo $? >&3" for words in STREAMS]
    shell = f"exec 3>&1; {'; '.join(said)}"
    ended = subprocess.run(
        ["sh", "-c", shell], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.isdigit()] == list(STREAMS.values())
    assert all(
        line.isdigit() or "No space left" in line or "disk is full" in line for line in lines
    )
    assert "defect" not in ended.stdout + ended.stderr


def test_completion_is_in_the_help(p2c: P2c) -> None:
    assert "--install-completion" in p2c("--help").out


def test_help_and_completion_load_no_engine() -> None:
    code = (
        "import sys; from pipeline.cli.app import main; main(['plan', '--help']); "
        "print(sorted(set(sys.modules) & set(sys.argv)))"
    )
    engines = ["polars", "duckdb", "pyarrow", "pandera", "babel", "rich.segment"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *engines], check=True, capture_output=True, text=True, cwd=HOME
    )
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_plan_of_files_loads_neither_http_nor_what_zips(tmp_path: Path) -> None:
    words = ["plan", "--project", "data/samples/p2c.toml", "--runs", str(tmp_path)]
    code = (
        f"import sys; from pipeline.cli.app import main; main({words!r}); "
        "print(sorted({'polars', 'httpx', 'stream_zip'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=HOME
    )
    assert ended.stdout.splitlines()[-1] == "['polars']"


@pytest.mark.parametrize("name", ["pandas", "hypothesis"])
def test_what_pandera_loads_for_others_is_not_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("print('loaded')")
    code = "import sys; from pipeline.cli.exits import prepare_process; prepare_process(); "
    words = [sys.executable, "-c", f"{code}import pandera.polars; print('{name}' in sys.modules)"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(
        words, check=True, capture_output=True, text=True, cwd=HOME, env=environment
    )
    assert ended.stdout == "False\n"


LONG = """
import sys
import time
from types import SimpleNamespace
from pipeline.cli import app
from pipeline.cli import listing
from pipeline.commands.result import Result
result = Result(command="codes", exit_code=1, text="a line\\n" * 100_000)
listing.showing = SimpleNamespace(show_codes=lambda: result)
sys.argv = ["p2c", "codes"]
sys.exit(app.main())
"""


def test_a_reader_that_leaves_early_is_no_error_and_changes_no_exit_code() -> None:
    words = [sys.executable, "-c", LONG]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=HOME
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"a line\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_a_terminal_that_knows_ascii_only_gets_escapes() -> None:
    ended = p2c("plän→", PYTHONIOENCODING="ascii:strict", PYTHONUTF8="0")
    assert ended.returncode == 2
    assert r"No such command 'pl\xe4n\u2192'" in ended.stderr


WAITING = """
import sys, time
from pipeline.cli import app
app.command_line = lambda _: lambda *_, **__: (print("waiting", flush=True), time.sleep(60))
sys.exit(app.main())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_with_a_sentence(name: str) -> None:
    words = [sys.executable, "-c", WAITING]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOME
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.Signals[name])
        _, err = process.communicate()
    assert process.returncode == 3
    assert err == "p2c: stopped from outside. Run the same command again to continue.\n"


DEAF = """
import ctypes, sys
from pipeline.cli import app, signals
from sql.session import session
def sort():
    with session() as one:
        one.run("CREATE TABLE x AS SELECT hash(i) AS a FROM range(40000000) t(i) ORDER BY a")
def wait():
    ctypes.CDLL(None).sleep(60)
def work(words, **_):
    signals.hear_signals(words[0], as_object=True)
    print("waiting", file=sys.stderr, flush=True)
    globals()[words[0]]()
app.command_line = lambda _: work
sys.exit(app.main())
"""
"""Commands in which Python hears no signal: a sort of the engine, and a wait in a library."""


@pytest.mark.parametrize("deaf", ["sort", "wait"])
def test_a_signal_ends_what_cannot_hear_it(deaf: str) -> None:
    words = [sys.executable, "-c", DEAF, deaf, "--json"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=HOME
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        out, err = process.communicate()
    assert time.monotonic() - begun < 4
    assert (process.returncode, err) == (
        3,
        "p2c: stopped from outside. Run the same command again to continue.\n",
    )
    assert json.loads(out)["command"] == deaf


SWALLOWED = """
import os, signal, sys
from pipeline.cli import app
def engine(*_, **__):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        raise RuntimeError("Query interrupted")
app.command_line = lambda _: engine
sys.exit(app.main())
"""


def test_a_signal_is_no_defect_when_an_engine_makes_an_error_of_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SWALLOWED], check=False, capture_output=True, text=True, cwd=HOME
    )
    assert (ended.returncode, ended.stderr) == (
        3,
        "p2c: stopped from outside. Run the same command again to continue.\n",
    )


def test_an_ignored_hangup_stays_ignored() -> None:
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from pipeline.cli.exits "
        "import prepare_process; "
        "prepare_process(); print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=HOME
    )
    assert ended.stdout == "True\n"


def test_a_process_that_leaves_does_what_is_due_at_its_end_and_takes_nothing_down() -> None:
    code = (
        "import atexit, threading; from pipeline.cli.exits import leave; "
        "atexit.register(print, 'due', flush=True); kept = type('K', (), "
        "{'__del__': lambda self: print('taken down', flush=True)})(); leave(3)"
    )
    waiting = code.replace("leave(3)", "threading.Timer(0.2, print, ('worked',)).start(); leave(3)")
    for text, said, status in ((code, "due\n", 3), (waiting, "worked\ndue\ntaken down\n", 0)):
        ended = subprocess.run(
            [sys.executable, "-c", text], check=False, capture_output=True, text=True, cwd=HOME
        )
        assert (ended.stdout, ended.returncode) == (said, status)
