"""Exponential histograms in Prometheus 3 by its own OTLP receiver: native ones, with exemplars."""
import math

import pytest

from stack.conftest import needs_root, tool
from support.load import curl
from support.otlp_backend import OtlpBackend
from support.process import Process
from support.prometheus import Queries
from support.servers import Service
from support.waiting import eventually, free_port, http_status

CONFIG = """\
storage:
  exemplars: {{max_exemplars: 1000}}
otlp:
  promote_resource_attributes: [service.name]
"""
DURATIONS = [5, 20, 40, 80, 160, 320]
EACH = 5


class Receiver(Process, Queries):
    """Prometheus 3 as what OTLP goes to."""

    def __init__(self, folder):
        folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format())
        super().__init__(
            [tool("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
             "--web.enable-otlp-receiver", "--enable-feature=native-histograms,exemplar-storage",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            log=folder / "prometheus.log")
        eventually(lambda: http_status(f"{self.url}/-/ready") == 200, within=20, what="Prometheus")


@needs_root
@pytest.mark.timeout(180)
def test_prometheus_keeps_them_as_native_ones(start_agent, tmp_path):
    with OtlpBackend() as backend, Receiver(tmp_path / "prometheus") as prometheus, \
            Service(tmp_path, "service.py") as service:
        config = ("metrics: {histograms: exponential}\n"
                  f"otlp:\n  traces: {{endpoint: '{backend.url}/v1/traces'}}\n"
                  f"  metrics: {{endpoint: '{prometheus.url}/api/v1/otlp/v1/metrics'}}\n")
        start_agent(ports=[service.port], config=config, window="1s")
        waited = sorted(transfer["time_total"] for _ in range(EACH) for transfer in
                        curl(*[f"{service.url}/slow?ms={ms}" for ms in DURATIONS]).transfers)
        wanted = EACH * len(DURATIONS)
        series = eventually(lambda: name_of(prometheus), what="the series of durations")
        eventually(lambda: prometheus.value(f"histogram_count({series})") == wanted, within=30,
                   what=f"{wanted} requests")
        assert prometheus.value(f"histogram_sum({series})") >= EACH * sum(DURATIONS) / 1000
        # Computed here: the server sleeps at least what was asked for, and its client waits longer.
        # A bucket is less than 5 % wide.
        for quantile in (0.25, 0.6, 0.9):
            rank = math.ceil(quantile * wanted) - 1
            asked = DURATIONS[rank // EACH] / 1000
            seen = prometheus.value(f"histogram_quantile({quantile}, sum({series}))")
            assert asked * 0.95 <= seen <= waited[rank] * 1.05, (quantile, asked, seen, waited[rank])
        exemplars = eventually(lambda: prometheus.exemplars(series), what="exemplars")
        stored = {(span["trace_id"], span["span_id"]) for span in backend.spans()}
        for exemplar in exemplars:
            labels = exemplar["labels"]
            assert (labels["trace_id"], labels["span_id"]) in stored, exemplar
        slowest = max(float(exemplar["value"]) for exemplar in exemplars)
        assert slowest >= max(DURATIONS) / 1000


def name_of(prometheus):
    """The selector of the python service's durations; empty while there are none."""
    result = prometheus.query("query", query="http_server_request_duration_seconds")["result"]
    jobs = {one["metric"]["job"] for one in result}
    return f'http_server_request_duration_seconds{{job="{jobs.pop()}"}}' if jobs else ""
