"""What the machines around a process ask it: ``/metrics`` for Prometheus, ``/healthz`` for whoever restarts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from monitor.app import App
from monitor.errors import DatabaseBusy, SettingError
from monitor.serving import Server
from monitor.store.standing import Gauge, standing

METRICS_TYPE = CONTENT_TYPE_LATEST


class _Rows(Collector):
    """The numbers that the rows tell, read when they are asked for."""

    def __init__(self, app: App) -> None:
        self._app = app

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every number; with a database that does not answer, only that it does not."""
        up = GaugeMetricFamily("monitor_database_up", "Whether the database answers")
        try:
            with self._app.database.read() as session:
                gauges = standing(session, self._app.clock())
        except DatabaseBusy:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _families(gauges)


def _families(gauges: list[Gauge]) -> Iterator[GaugeMetricFamily]:
    families: dict[str, GaugeMetricFamily] = {}
    for gauge in gauges:
        names = [name for name, _ in gauge.labels]
        family = families.setdefault(gauge.name, GaugeMetricFamily(f"monitor_{gauge.name}", gauge.says, labels=names))
        family.add_metric([value for _, value in gauge.labels], gauge.value)
    yield from families.values()


def metrics(app: App, *, rows: bool) -> bytes:
    """What this process has counted, and, where asked, what the rows tell, in Prometheus's text format."""
    counted = generate_latest(REGISTRY)
    if not rows:
        return counted
    registry = CollectorRegistry()
    registry.register(_Rows(app))
    return counted + generate_latest(registry)


@contextmanager
def status_server(app: App, *, rows: bool, is_well: Callable[[], bool]) -> Iterator[None]:
    """Answer at ``metrics_host`` and ``metrics_port`` for the length of the block; nowhere where the port is 0.

    Args:
        app: The installation.
        rows: Whether to tell what the rows tell: one process that does is enough.
        is_well: Whether this process does its work.

    Raises:
        SettingError: The port is taken.
    """
    settings = app.settings
    if not settings.metrics_port:
        yield
        return
    try:
        server = Server((settings.metrics_host, settings.metrics_port), _handler(app, is_well, rows=rows))
    except OSError as error:
        remedy = f"nothing can listen there ({error.strerror}); name a free port, or 0 for none"
        raise SettingError("settings", "metrics_port", settings.metrics_port, remedy) from error
    with server:
        yield


def _handler(app: App, is_well: Callable[[], bool], *, rows: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, metrics(app, rows=rows), METRICS_TYPE)
            elif self.path == "/healthz":
                well = is_well()
                self._answer(200 if well else 503, b"ok\n" if well else b"not well\n", "text/plain")
            else:
                self._answer(404, b"/metrics and /healthz are here\n", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: who asks every few seconds needs no line each time."""

    return Handler
