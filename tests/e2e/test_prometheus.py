"""Debian's Prometheus scrapes the agent and answers with its exemplars."""
import urllib.request

from support.load import curl
from support.metrics_page import scrape
from support.otlp_backend import OtlpBackend
from support.prometheus import Prometheus
from support.report import SERVER
from support.servers import Service
from support.waiting import eventually

SERVER_COUNT = 'http_server_request_duration_seconds_count'
BUCKETS = 'http_server_request_duration_seconds_bucket'
# A port filter lets encrypted connections through whose socket is not known yet: others may run.
OF_NGINX = '{job="nginx"}'
COUNT_OF_NGINX = SERVER_COUNT + OF_NGINX


def test_prometheus_scrapes_counts_and_exemplars(start_agent, nginx, tmp_path):
    with OtlpBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url, window="2s", ports=[nginx.port])
        with Prometheus(tmp_path / "prometheus", agent.metrics_port) as prometheus:
            eventually(lambda: prometheus.scrape_error() == "", within=10, what="the first scrape")
            for round_number in range(1, 4):
                curl(*[f"{nginx.url}/ok"] * 20, *[f"{nginx.url}/broken"] * 2)
                eventually(lambda: prometheus.value(COUNT_OF_NGINX) == 22 * round_number, within=15,
                           what=f"{22 * round_number} requests in Prometheus")
            found = eventually(lambda: prometheus.exemplars(BUCKETS + OF_NGINX), what="exemplars")
            assert prometheus.scrape_error() == ""
        spans = eventually(backend.spans, what="spans")

    stored = {(span["trace_id"], span["span_id"]) for span in spans}
    for exemplar in found:
        labels = exemplar["labels"]
        assert (labels["trace_id"], labels["span_id"]) in stored, exemplar
        assert 0 <= float(exemplar["value"]) <= float(exemplar["series"]["le"])
    assert {exemplar["series"]["http_response_status_code"] for exemplar in found} >= {"200", "503"}


def test_a_slow_scraper_sees_the_exemplars_of_every_window(start_agent, tmp_path):
    """Windows close between two scrapes: a bucket keeps its exemplar until a newer one replaces it."""
    with OtlpBackend() as backend, Service(tmp_path, "service.py") as service:
        agent = start_agent("--otlp-endpoint", backend.url, window="1s", ports=[service.port])
        curl(f"{service.url}/slow?ms=300")
        agent.wait_for_count(SERVER, 1, "python")
        curl(f"{service.url}/slow?ms=120")
        agent.wait_for_count(SERVER, 2, "python")
        agent.wait_for_windows(1)

        page = agent.scrape()  # the first since both
        stored = {(span["trace_id"], span["span_id"]) for span in backend.spans()}
        samples = [sample for sample in page.find(BUCKETS) if sample.exemplar]
        assert [sample.labels["le"] for sample in samples] == ["0.25", "0.5"]
        for sample in samples:
            labels = sample.exemplar.labels
            assert (labels["trace_id"], labels["span_id"]) in stored, sample
        assert [round(sample.exemplar.value, 1) for sample in samples] == [0.1, 0.3]

        # The next request of a bucket takes the place of the one that was shown.
        curl(f"{service.url}/slow?ms=310")
        agent.wait_for_count(SERVER, 3, "python")

        def replaced():
            shown, = agent.scrape().find(BUCKETS, le="0.5")
            return shown.exemplar.value > 0.31
        eventually(replaced, what="the newer exemplar on the page")


def test_plain_text_for_older_scrapers(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 5)
    agent.wait_for_count("http.server.request.duration", 5, "nginx")
    with urllib.request.urlopen(f"http://127.0.0.1:{agent.metrics_port}/metrics") as reply:
        text = reply.read().decode()
        assert reply.headers["Content-Type"].startswith("text/plain")
    assert " # {" not in text and "# EOF" not in text
    assert scrape(agent.metrics_port).sum(SERVER_COUNT) >= 5
