"""OpenTelemetry: a span for the command, one for each of its steps, and the counts as metrics.

The extra ``p2c[telemetry]`` and the standard variables (``OTEL_EXPORTER_OTLP_ENDPOINT``, …) switch
it on; p2c has no settings for it. Spans and metrics hold counts, codes and ids.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Final, Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context

from pipeline import __version__
from pipeline.commands.result import Result, name_verdict
from pipeline.errors import P2cError
from pipeline.events import Step
from pipeline.run.opened import get_opened_run

_NAME: Final = "p2c"
_PATIENCE: Final = 5.0
"""Seconds that a command waits for a collector in the end, unless the variables say otherwise."""
_COUNTS: Final = (
    ("counts", "p2c.contacts", "decision"),
    ("outcomes", "p2c.rows", "outcome"),
    ("findings", "p2c.findings", "code"),
)
"""What a summary counts → the metric, and the attribute that tells its values apart."""


class Telemetry:
    """The spans and metrics of one command.

    Args:
        command: its name.
        environment: the variables of OpenTelemetry.
        spans: takes the spans; null: none are made.
        metrics: takes the metrics; null: none are made.
    """

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        spans: SpanExporter | None,
        metrics: MetricReader | None,
    ) -> None:
        resource = _make_resource(environment)
        self._command = command
        self._tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        if spans is not None:
            self._tracers.add_span_processor(BatchSpanProcessor(spans))
        readers = [] if metrics is None else [metrics]
        self._meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._tracer = self._tracers.get_tracer(_NAME, __version__)
        self._meter = self._meters.get_meter(_NAME, __version__)
        self._whole: Span | None = None
        self._context: Context | None = None
        self._step: tuple[Step, Span] | None = None
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @classmethod
    def for_collector(cls, command: str, environment: Mapping[str, str]) -> Self:
        """Send both by OTLP over HTTP, where the variables say, unless they say none."""
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        no_spans, no_metrics = (
            environment.get(f"OTEL_{kind}_EXPORTER", "").strip().lower() == "none"
            for kind in ("TRACES", "METRICS")
        )
        patience = None if environment.get("OTEL_EXPORTER_OTLP_TIMEOUT") else _PATIENCE
        sent = None if no_metrics else OTLPMetricExporter(timeout=patience)
        return cls(
            command,
            environment,
            None if no_spans else OTLPSpanExporter(timeout=patience),
            None if sent is None else PeriodicExportingMetricReader(sent),
        )

    def start(self) -> None:
        """Begin the span of the command."""
        attributes = {"p2c.command": self._command}
        self._whole = self._tracer.start_span(f"p2c {self._command}", attributes=attributes)
        self._context = set_span_in_context(self._whole)

    def listen(self, step: Step) -> None:
        """Begin the span of a step, and end that of the step before."""
        if not step.name:
            return
        with self._lock:
            if self._step is None or self._step[0].name != step.name:
                self._end_step()
                span = self._tracer.start_span(step.name, context=self._context)
            else:
                span = self._step[1]
            self._step = step, span

    def end(self, result: Result) -> None:
        """End all spans with the result, and send everything."""
        facts = result.facts
        verdict = facts.verdict if facts else name_verdict(result.exit_code)
        for name, metric, attribute in _COUNTS:
            counter = self._meter.create_counter(metric)
            for value, rows in (getattr(facts, name) if facts else {}).items():
                counter.add(rows, {"p2c.command": self._command, f"p2c.{attribute}": value})
        run = result.run or (facts.run if facts else None)
        self._finish(run, verdict, result.exit_code, Status(StatusCode.OK))

    def fail(self, error: P2cError) -> None:
        """End all spans with the code of the error, and send everything."""
        verdict = {2: "refused", 3: "stopped"}.get(error.exit_code, "broken")
        self._finish(None, verdict, error.exit_code, Status(StatusCode.ERROR, error.code))

    def _finish(self, run: str | None, verdict: str, exit_code: int, status: Status) -> None:
        with self._lock:
            self._end_step()
        opened = get_opened_run()
        known = {"p2c.command": self._command, "p2c.verdict": verdict}
        if self._whole is not None:
            named = run or (opened.name if opened is not None else "")
            self._whole.set_attributes({**known, "p2c.run": named, "p2c.exit_code": exit_code})
            self._whole.set_status(status)
            self._whole.end()
        seconds = time.monotonic() - self._began
        self._meter.create_counter("p2c.commands").add(1, known)
        self._meter.create_histogram("p2c.duration", unit="s").record(seconds, known)
        self._tracers.shutdown()
        self._meters.shutdown()

    def _end_step(self) -> None:
        if self._step is not None:
            step, span = self._step
            span.set_attribute("p2c.done", step.done)
            if step.total is not None:
                span.set_attribute("p2c.total", step.total)
            span.end()
        self._step = None


def _make_resource(environment: Mapping[str, str]) -> Resource:
    """Whose telemetry it is; a name that the variables give wins."""
    known = {"service.version": __version__}
    named = "service.name" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not named and not environment.get("OTEL_SERVICE_NAME"):
        known["service.name"] = _NAME
    return Resource.create(known)
