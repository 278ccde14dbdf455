"""Who watches a command besides the terminal: the log file, and whoever is notified."""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.cli.watching import watch_command
from pipeline.commands.options import Flags
from pipeline.commands.result import Result
from pipeline.errors import ConfigurationError
from pipeline.project.notify import find_webhook
from pipeline.project.resolve import load_project
from pipeline.wire.webhook import post_message
from tests.scenes.command_line import P2c
from tests.scenes.small import PROJECT, write_small

PERSONAL = ("Ada", "Number1", "@example.com")


def read_log(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_file_has_steps_and_the_result_without_personal_data(
    p2c: P2c, source: Path, tmp_path: Path
) -> None:
    log = tmp_path / "p2c.log"
    p2c("codes", "--log-file", log)
    answer = p2c("run", "--project", source / "p2c.toml", "--log-file", log)
    lines = read_log(log)
    assert [one["event"] for one in lines[:2]] == ["command_started", "command_ended"]
    assert {"step_started", "step_ended"} <= {one["event"] for one in lines}
    last = lines[-1]
    assert (last["event"], last["level"], last["exit_code"]) == ("command_ended", "warning", 1)
    assert (last["command"], last["verdict"]) == ("run", "attention")
    assert last["counts"]["held"] == 1
    assert last["run"] in answer.out
    assert all({"time", "level", "event", "command", "run"} <= set(one) for one in lines)
    planned = next(one for one in lines if one.get("step") == "planning" and "done" in one)
    assert planned["done"] == 11
    assert not [word for word in PERSONAL if word in log.read_text()]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("plan", "--project", "missing.toml"), "usage"),
        (("findings", "latest", "--to", "a.csv", "--repair", "b.csv"), "usage"),
        (("plan", "--source", ".", "--set", "destination.currency=euro"), "configuration"),
    ],
)
def test_the_log_file_has_the_error_that_ended_a_command(
    p2c: P2c, tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    log = tmp_path / "p2c.log"
    assert p2c(*words, "--log-file", log).code == 2
    last = read_log(log)[-1]
    assert (last["event"], last["level"], last["code"]) == ("command_failed", "error", code)
    assert last["message"]


def test_a_log_file_is_a_log_and_no_export(p2c: P2c, tmp_path: Path) -> None:
    for name, text in (
        ("contacts.csv", "contactid\n1\n"),
        ("contacts.jsonl", '{"contactid": 1}\n'),
    ):
        (tmp_path / name).write_text(text)
        answer = p2c("codes", "--log-file", name)
        assert (answer.code, name in answer.err) == (2, True)
        assert "is no log of p2c" in answer.err
        assert (tmp_path / name).read_text() == text


def test_a_log_file_that_cannot_be_written_is_refused(p2c: P2c, tmp_path: Path) -> None:
    answer = p2c("codes", "--log-file", tmp_path / "no" / "p2c.log")
    assert answer.code == 2
    assert "Name a file in a folder that exists." in answer.err


@dataclass
class Hook:
    """A webhook on this machine: what it got, and what it answers."""

    url: str = ""
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            found.got.append(json.loads(self.rfile.read(size)))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hook?sig=SECRET"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def test_a_run_sends_its_summary_and_no_values(
    p2c: P2c, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_small(tmp_path / "project", f'{PROJECT}\n[notify]\nwebhook = "NIGHT_HOOK"\n')
    monkeypatch.setenv("NIGHT_HOOK", hook.url)
    answer = p2c("run", "--project", project)
    [message] = hook.got
    assert (message["verdict"], message["exit_code"], message["command"]) == ("attention", 1, "run")
    assert message["counts"]["held"] == 1
    assert message["run"] in answer.out
    assert message["text"].endswith(answer.out.splitlines()[0])
    assert Path(message["folder"]).is_dir()
    assert message["error"] is None
    assert not [word for word in PERSONAL if word in json.dumps(message)]
    run = Path(message["folder"])
    assert "SECRET" not in "".join(
        path.read_text() for path in run.iterdir() if path.suffix in (".json", ".jsonl")
    )
    p2c("apply", "latest")
    assert (hook.got[1]["command"], hook.got[1]["run"]) == ("apply", message["run"])


@pytest.mark.parametrize("broken", ["[notify", 'currency = "euro"'])
def test_a_refused_run_is_told_too(p2c: P2c, hook: Hook, tmp_path: Path, broken: str) -> None:
    project = write_small(tmp_path / "project", f"[destination]\n{broken}\n")
    assert p2c("run", "--project", project, "--set", f"notify.webhook={hook.url}").code == 2
    [message] = hook.got
    assert (message["verdict"], message["exit_code"]) == ("refused", 2)
    assert message["error"]["code"] == "configuration"
    assert message["run"] is None


def test_a_run_that_is_stopped_is_told_too(hook: Hook) -> None:
    said: list[str] = []
    flags = Flags(assignments=(f"notify.webhook={hook.url}",))
    with pytest.raises(KeyboardInterrupt), watch_command("run", flags, said.append):
        raise KeyboardInterrupt
    [message] = hook.got
    assert (message["verdict"], message["exit_code"], said) == ("stopped", 3, [])


@pytest.mark.parametrize(
    "url", ["https://a b/SECRET", "https://[::1/SECRET", "https://a\nb/SECRET"]
)
def test_an_address_that_is_none_never_breaks_a_run(url: str) -> None:
    said: list[str] = []
    flags = Flags(assignments=("notify.webhook=NIGHT_HOOK",), environment=(("NIGHT_HOOK", url),))
    with watch_command("run", flags, said.append) as watch:
        watch.end(Result(command="run"))
    [sentence] = said
    assert "did not get the summary" in sentence
    assert "SECRET" not in sentence


def test_a_webhook_that_fails_is_said_without_its_address(
    p2c: P2c, hook: Hook, source: Path
) -> None:
    hook.status = 403
    words = ("run", "--project", source / "p2c.toml", "--limit", "2")
    answer = p2c(*words, "--set", f"notify.webhook={hook.url}")
    assert answer.code == 0
    assert "did not get the summary: it answered with HTTP status 403." in answer.err
    assert "SECRET" not in answer.err + answer.out


@pytest.mark.parametrize(
    ("statuses", "failure", "waits"),
    [
        ([200], "", []),
        ([503, 202], "", [1.0]),
        ([429, 500, 502], "it answered with HTTP status 502", [1.0, 3.0]),
        ([404], "it answered with HTTP status 404", []),
        ([302], "it answered with HTTP status 302", []),
        ([0, 0, 0], "there was no answer (ConnectError)", [1.0, 3.0]),
    ],
)
def test_what_passes_is_tried_again_and_what_stays_is_not(
    statuses: list[int], failure: str, waits: list[float]
) -> None:
    left, slept = list(statuses), list[float]()

    def answer(_: httpx.Request) -> httpx.Response:
        status = left.pop(0)
        if not status:
            raise httpx.ConnectError("no")
        return httpx.Response(status, headers={"Location": "https://elsewhere.example"})

    transport = httpx.MockTransport(answer)
    told = post_message("https://hook.example/x", {}, slept.append, transport=transport)
    assert (told, slept, left) == (failure, waits, [])


def test_what_a_webhook_says_is_not_read() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"Content-Encoding": "gzip", "Content-Length": "9"}
        return httpx.Response(200, headers=headers, stream=Endless())

    transport = httpx.MockTransport(answer)
    assert post_message("https://hook.example/x", {}, time.sleep, transport=transport) == ""


class Endless(httpx.SyncByteStream):
    """A body without an end, which is not what its headers say either."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"<html>"


def test_who_is_asked_to_end_tries_a_webhook_once() -> None:
    asked: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.extensions["timeout"]["read"])
        return httpx.Response(503)

    transport = httpx.MockTransport(answer)
    told = post_message("https://h.example", {}, time.sleep, quick=True, transport=transport)
    assert (told, asked) == ("it answered with HTTP status 503", [1.0])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://hook.example/SECRET", "must be an address"),
        ("https:///SECRET", "must be an address"),
        ("hook.example/SECRET", "must be an address"),
        ("ftp://hook.example/SECRET", "must be an address"),
        ("https://hook.example:99999/SECRET", "must be an address"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_and_not_repeated(
    source: Path, value: str, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_project(source / "p2c.toml", assignments=[f"notify.webhook={value}"])
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "the variable NIGHT_HOOK is not set"),
        ({"NIGHT_HOOK": "SECRET"}, "the variable NIGHT_HOOK does not hold an address"),
        ({"NIGHT_HOOK": "http://hook.example/SECRET"}, "does not hold an address"),
    ],
)
def test_a_variable_without_an_address_is_said(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        find_webhook(None, ["notify.webhook=NIGHT_HOOK"], environment)
    assert "SECRET" not in str(caught.value)


def test_the_variable_of_the_setting_itself_counts() -> None:
    url = "https://hook.example/x"
    assert find_webhook(None, [], {"P2C_NOTIFY_WEBHOOK": url}) == url
    assert find_webhook(None, [], {}) is None


def test_without_a_collector_there_is_no_telemetry(
    p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert p2c("codes").err == ""


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry") is not None, reason="p2c[telemetry] is installed"
)
def test_variables_without_the_packages_of_telemetry_change_nothing(
    p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert (p2c("codes").code, p2c("codes").err) == (0, "")
