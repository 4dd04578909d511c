"""An OTLP/HTTP backend inside the test: decodes with OpenTelemetry's own definitions, keeps what it
accepted, and answers as the test says."""
import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

REQUESTS = {"/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
            "/v1/metrics": metrics_service_pb2.ExportMetricsServiceRequest}
KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}


def plain(value):
    """An AnyValue as a value of python."""
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


def attributes(pairs):
    keys = [pair.key for pair in pairs]
    assert len(keys) == len(set(keys)), f"an attribute twice: {keys}"
    return {pair.key: plain(pair.value) for pair in pairs}


@dataclass
class Answer:
    """accept=False: nothing of the request is kept. reject_spans: a partial success that refuses so
    many spans, the last of the request."""
    status: int = 200
    headers: dict = field(default_factory=dict)
    accept: bool = True
    reject_spans: int = 0
    reset: bool = False


class OtlpBackend:
    """Answers /v1/traces and /v1/metrics. `answer` is called with (path, number of the request to
    that path) and says how; by default all is accepted."""

    def __init__(self, answer=lambda path, number: Answer()):
        self.answer = answer
        self.lock = threading.Lock()
        self._spans, self._points, self.requests = [], {}, {"/v1/traces": 0, "/v1/metrics": 0}
        self.failures = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._reply_class())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def spans(self):
        with self.lock:
            return list(self._spans)

    def points(self, metric):
        """The newest point of each series of a metric."""
        with self.lock:
            return [point for (name, *_), point in self._points.items() if name == metric]

    def count(self, metric):
        return sum(point["count"] for point in self.points(metric))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        assert not self.failures, self.failures

    def _keep_spans(self, request, kept):
        for resource in request.resource_spans:
            described = attributes(resource.resource.attributes)
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                if kept == 0:
                    return
                kept -= 1
                assert len(span.trace_id) == 16 and any(span.trace_id), span
                assert len(span.span_id) == 8 and any(span.span_id), span
                assert span.start_time_unix_nano <= span.end_time_unix_nano, span
                self._spans.append({
                    "trace_id": span.trace_id.hex(), "span_id": span.span_id.hex(),
                    "parent_span_id": span.parent_span_id.hex(), "name": span.name,
                    "kind": KINDS[span.kind], "start_unix_ns": span.start_time_unix_nano,
                    "end_unix_ns": span.end_time_unix_nano, "resource": described,
                    "service": described["service.name"],
                    "status": {0: "UNSET", 1: "OK", 2: "ERROR"}[span.status.code],
                    "attributes": attributes(span.attributes)})

    def _keep_points(self, request):
        for resource in request.resource_metrics:
            described = attributes(resource.resource.attributes)
            for metric in (one for scope in resource.scope_metrics for one in scope.metrics):
                if metric.WhichOneof("data") != "histogram":
                    continue
                assert metric.histogram.aggregation_temporality == 2, "cumulative"
                for point in metric.histogram.data_points:
                    assert sum(point.bucket_counts) == point.count, point
                    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1, point
                    labels = attributes(point.attributes)
                    key = (metric.name, str(sorted(described.items())), str(sorted(labels.items())))
                    self._points[key] = {
                        "attributes": labels, "resource": described, "count": point.count,
                        "sum": point.sum, "exemplars":
                            self._points.get(key, {}).get("exemplars", []) + [
                                {"value": one.as_double, "trace_id": one.trace_id.hex(),
                                 "span_id": one.span_id.hex()} for one in point.exemplars]}

    def _reply_class(backend):
        class Reply(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                with backend.lock:
                    try:
                        answer, content = self.take(body)
                    except Exception as error:  # what a thread raises would be lost
                        backend.failures.append(repr(error))
                        answer, content = Answer(status=400), b""
                if answer.reset:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def take(self, body):
                request = REQUESTS[self.path].FromString(body)
                backend.requests[self.path] += 1
                answer = backend.answer(self.path, backend.requests[self.path])
                if answer.status != 200 or not answer.accept:
                    return answer, b""
                if self.path == "/v1/metrics":
                    backend._keep_points(request)
                    return answer, b""
                total = sum(len(scope.spans) for resource in request.resource_spans
                            for scope in resource.scope_spans)
                rejected = min(answer.reject_spans, total)
                backend._keep_spans(request, total - rejected)
                reply = trace_service_pb2.ExportTraceServiceResponse()
                if rejected:
                    reply.partial_success.rejected_spans = rejected
                    reply.partial_success.error_message = "no room"
                return answer, reply.SerializeToString()

            def log_message(self, *_):
                pass

        return Reply
