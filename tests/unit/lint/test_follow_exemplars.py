"""Following exemplars from Prometheus into Jaeger, against answers as both give them."""
import json
import pathlib
import subprocess
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "scripts/lib/follow_exemplars.py"
STORED = {"data": [{"processes": {"p1": {"serviceName": "nginx", "tags": []}}, "spans": [
    {"traceID": "a" * 32, "spanID": "b" * 16, "operationName": "GET /slow", "processID": "p1",
     "references": [], "startTime": 1_000_000, "duration": 1_500_000, "tags": [
         {"key": "span.kind", "value": "server"}, {"key": "url.path", "value": "/slow"},
         {"key": "http.response.status_code", "value": 200}]}]}]}


def exemplar(span_id, value):
    return {"labels": {"trace_id": "a" * 32, "span_id": span_id}, "value": value, "timestamp": 1.0}


@pytest.fixture
def backend():
    """Prometheus and Jaeger in one: has `exemplars` of the servers' histogram and one trace."""
    class Reply(BaseHTTPRequestHandler):
        def do_GET(self):
            path = urllib.parse.urlsplit(self.path)
            status, answer = 200, {"status": "success", "data": []}
            if path.path.startswith("/api/traces/"):
                status, answer = (200, STORED) if path.path.endswith("a" * 32) else (404, {})
            elif "query=http_server" in path.query and server.exemplars:
                answer["data"] = [{"seriesLabels": {"le": "2.5"}, "exemplars": server.exemplars}]
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Reply)
    server.exemplars = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def run(backend):
    return subprocess.run([sys.executable, SCRIPT, backend.url, backend.url], capture_output=True,
                          text=True, timeout=30, stdin=subprocess.DEVNULL)


def test_draws_the_slowest_trace_and_counts(backend):
    backend.exemplars = [exemplar("b" * 16, "1.5")]
    result = run(backend)
    assert result.returncode == 0, result.stderr
    assert "nginx (server) GET /slow" in result.stdout
    assert "1500.00 ms  200  <- the exemplar" in result.stdout
    assert "1 of 1 exemplars in Prometheus open a trace in Jaeger" in result.stdout


def test_an_exemplar_whose_span_is_not_there_is_a_failure(backend):
    backend.exemplars = [exemplar("b" * 16, "1.5"), exemplar("c" * 16, "0.1")]
    result = run(backend)
    assert result.returncode == 1
    assert "1 of 2 exemplars" in result.stdout


def test_a_trace_that_is_not_there_is_a_failure(backend):
    backend.exemplars = [{"labels": {"trace_id": "d" * 32, "span_id": "b" * 16}, "value": "1",
                          "timestamp": 1.0}]
    assert run(backend).returncode == 1


def test_no_exemplar_at_all_is_no_success(backend):
    result = run(backend)
    assert result.returncode == 1 and "no exemplar yet" in result.stderr
