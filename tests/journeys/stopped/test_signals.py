"""Ctrl-C and SIGTERM, while a command waits for a system: it ends soon, and says how to go on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.journeys.apply.conftest import Begin, begin
from tests.scenes.places import ROOT

__all__ = ["begin"]

FILES = 'kind = "files"\npath = "."'
SALES = 'kind = "dataverse"'
SOON = 4.0
"""Seconds; on a machine that has nothing else to do it takes less than two."""

HANG = """
import sys
import httpx
from pipeline.cli import app
from pipeline.wire.system import System
part, how, port, *words = sys.argv[1:]
send = System._send
def wait(self, method, url, headers, content):
    if part not in str(url):
        return send(self, method, url, headers, content)
    print("waiting", flush=True)
    if how == "silent":
        httpx.get(f"http://127.0.0.1:{port}", timeout=180)
    request = httpx.Request(method, "http://scm.test")
    return httpx.Response(429, headers={"Retry-After": "75"}, request=request), 0
System._send = wait
sys.argv = ["p2c", *words]
sys.exit(app.main())
"""
"""The command line, to which one address says nothing, or asks it to wait."""

WAITS = {
    "a load by OData": ("odata", FILES, ("apply", "latest", "--yes"), "$batch"),
    "a load by packages": ("packages", FILES, ("apply", "latest", "--yes"), "ImportFromPackage"),
    "an extraction": ("odata", SALES, ("plan",), "contacts"),
    "an extraction's first question": ("odata", SALES, ("plan",), "TotalRecordCount"),
}


@pytest.mark.parametrize(
    ("wait", "how", "name"),
    [
        *((wait, "throttled", "SIGINT") for wait in WAITS),
        ("a load by OData", "silent", "SIGINT"),
        ("a load by OData", "throttled", "SIGTERM"),
        ("an extraction", "silent", "SIGINT"),
    ],
)
def test_a_signal_ends_a_command_that_waits(
    begin: Begin, tmp_path: Path, wait: str, how: str, name: str
) -> None:
    load, source, command, part = WAITS[wait]
    world = begin()
    common = ["--project", str(world.project(load, source=source)), "--runs", str(tmp_path)]
    python = [sys.executable, "-c"]
    if command[0] == "apply":
        plan = "import sys; from pipeline.cli.app import main; sys.exit(main(sys.argv[1:]))"
        subprocess.run([*python, plan, "plan", *common], check=False, cwd=ROOT, env=os.environ)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = [*python, HANG, part, how, str(silent.getsockname()[1]), *command, *common]
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            said = process.stdout.readline()
            time.sleep(0.5)
            process.send_signal(signal.Signals[name])
            begun = time.monotonic()
            try:
                _, err = process.communicate(timeout=20)
            finally:
                process.kill()
    assert (said, process.returncode) == ("waiting\n", 3), err
    assert "Run the same command again to continue." in err
    assert time.monotonic() - begun < SOON
