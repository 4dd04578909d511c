"""Debian's Prometheus scrapes the agent and answers with its exemplars."""
import urllib.request

from support.load import curl
from support.metrics_page import scrape
from support.otlp_backend import OtlpBackend
from support.prometheus import Prometheus
from support.waiting import eventually

SERVER_COUNT = 'http_server_request_duration_seconds_count'
BUCKETS = 'http_server_request_duration_seconds_bucket'


def test_prometheus_scrapes_counts_and_exemplars(start_agent, nginx, tmp_path):
    with OtlpBackend() as backend:
        # An exemplar is shown while its window is the newest: no window goes unscraped.
        agent = start_agent("--otlp-endpoint", backend.url, window="2s", ports=[nginx.port])
        with Prometheus(tmp_path / "prometheus", agent.metrics_port) as prometheus:
            eventually(lambda: prometheus.scrape_error() == "", within=10, what="the first scrape")
            for round_number in range(1, 4):
                curl(*[f"{nginx.url}/ok"] * 20, *[f"{nginx.url}/broken"] * 2)
                eventually(lambda: prometheus.value(SERVER_COUNT) == 22 * round_number, within=15,
                           what=f"{22 * round_number} requests in Prometheus")
            found = eventually(lambda: prometheus.exemplars(BUCKETS), what="exemplars")
            assert prometheus.scrape_error() == ""
        spans = eventually(backend.spans, what="spans")

    stored = {(span["trace_id"], span["span_id"]) for span in spans}
    for exemplar in found:
        labels = exemplar["labels"]
        assert (labels["trace_id"], labels["span_id"]) in stored, exemplar
        assert 0 <= float(exemplar["value"]) <= float(exemplar["series"]["le"])
    assert {exemplar["series"]["http_response_status_code"] for exemplar in found} >= {"200", "503"}


def test_plain_text_for_older_scrapers(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 5)
    agent.wait_for_count("http.server.request.duration", 5, "nginx")
    with urllib.request.urlopen(f"http://127.0.0.1:{agent.metrics_port}/metrics") as reply:
        text = reply.read().decode()
        assert reply.headers["Content-Type"].startswith("text/plain")
    assert " # {" not in text and "# EOF" not in text
    assert scrape(agent.metrics_port).sum(SERVER_COUNT) >= 5
