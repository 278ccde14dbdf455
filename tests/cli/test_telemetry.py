"""OpenTelemetry: what is made of a command, seen by exporters in memory."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.commands.apply import plan_and_apply
from pipeline.commands.options import Flags
from pipeline.errors import SourceError
from pipeline.plan.request import PlanRequest
from tests.scenes.command_line import P2c

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import export
    from opentelemetry.sdk.trace.export import in_memory_span_exporter

    from pipeline.cli import telemetry
else:
    pytest.importorskip(
        "opentelemetry.exporter.otlp.proto.http", reason='needs pip install "p2c[telemetry]"'
    )
    export = pytest.importorskip("opentelemetry.sdk.metrics.export")
    in_memory_span_exporter = pytest.importorskip(
        "opentelemetry.sdk.trace.export.in_memory_span_exporter"
    )
    telemetry = pytest.importorskip("pipeline.cli.telemetry")


class Collected:
    """What a collector gets of a command."""

    def __init__(self, command: str, environment: dict[str, str] | None = None) -> None:
        self._spans = in_memory_span_exporter.InMemorySpanExporter()
        self._reader = export.InMemoryMetricReader()
        self.made = telemetry.Telemetry(command, environment or {}, self._spans, self._reader)
        self.made.start()

    @property
    def spans(self) -> dict[str, Any]:
        return {one.name: one for one in self._spans.get_finished_spans()}

    def value(self, name: str, **attributes: object) -> Any:
        known = {f"p2c.{key}": value for key, value in attributes.items()}
        found: Any = self._reader.get_metrics_data()
        [scope] = [scope for resource in found.resource_metrics for scope in resource.scope_metrics]
        point: Any
        [point] = [
            point
            for metric in scope.metrics
            for point in metric.data.data_points
            if (metric.name, dict(point.attributes)) == (name, known)
        ]
        return point.value if hasattr(point, "value") else point.count


def test_a_run_has_a_span_for_each_step_and_its_counts(source: Path, tmp_path: Path) -> None:
    collected = Collected("run")
    flags = Flags(project=source / "p2c.toml", runs=tmp_path / "runs")
    result = plan_and_apply(flags, PlanRequest(command="run"), collected.made.listen)
    collected.made.end(result)
    whole = collected.spans["p2c run"]
    assert whole.attributes["p2c.verdict"] == "attention"
    assert whole.attributes["p2c.exit_code"] == 1
    assert whole.attributes["p2c.run"] == result.summary.run
    assert whole.resource.attributes["service.name"] == "p2c"
    planning = collected.spans["planning"]
    assert planning.parent.span_id == whole.context.span_id
    assert (planning.attributes["p2c.done"], planning.attributes["p2c.total"]) == (11, 11)
    assert whole.start_time <= planning.start_time <= planning.end_time <= whole.end_time
    assert collected.value("p2c.contacts", command="run", decision="customer") == 5
    assert collected.value("p2c.rows", command="run", outcome="written") == 8
    assert collected.value("p2c.findings", command="run", code="too_long") == 1
    assert collected.value("p2c.commands", command="run", verdict="attention") == 1
    assert collected.value("p2c.duration", command="run", verdict="attention") == 1


def test_a_command_that_fails_says_its_code_and_nothing_else() -> None:
    collected = Collected("plan", {"OTEL_SERVICE_NAME": "night"})
    collected.made.fail(SourceError("a sentence", where="contacts.csv"))
    span = collected.spans["p2c plan"]
    assert (span.status.is_ok, span.status.description) == (False, "source")
    assert span.attributes["p2c.verdict"] == "refused"
    assert "a sentence" not in span.to_json()
    assert collected.value("p2c.commands", command="plan", verdict="refused") == 1


def test_the_standard_variables_say_where_it_goes(
    p2c: P2c, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        assert p2c("codes").code == 0
        monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
        assert p2c("codes").code == 0
        server.shutdown()
        thread.join()
    assert sorted(paths) == ["/v1/metrics", "/v1/traces", "/v1/traces"]
