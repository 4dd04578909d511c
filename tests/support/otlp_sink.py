#!/usr/bin/env python3
"""An OTLP/HTTP receiver as a process of its own: decodes with OpenTelemetry's own definitions and
writes each span, each metric point and each log record as a JSON line.

  build/venv/bin/python tests/support/otlp_sink.py [--output FILE] [--host 127.0.0.1] [--port 0]
      [--tls-cert PEM --tls-key PEM [--client-ca PEM]]

Prints {"port": N} once it listens, and ends when its standard input does.

  GET /spans  /traces/{trace id in hex}  /metrics  /logs  /requests     what was received, as JSON
  POST /faults  {"status": 503, "headers": {"Retry-After": "1"}, "reject": 2, "delay_s": 0.5,
                 "requests": 3}     how the next requests are answered; 2xx keeps what it takes
"""
import argparse
import base64
import gzip
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

IDS = ("trace_id", "span_id", "parent_span_id")
NUMBERS = ("histogram", "exponential_histogram", "sum", "gauge")


def plain(message):
    """A message as a dictionary of proto field names, its ids in hex."""
    def with_hex_ids(value):
        if isinstance(value, dict):
            return {key: base64.b64decode(one).hex() if key in IDS else with_hex_ids(one)
                    for key, one in value.items()}
        return [with_hex_ids(one) for one in value] if isinstance(value, list) else value
    return with_hex_ids(MessageToDict(message, preserving_proto_field_name=True,
                                      use_integers_for_enums=True))


def check_attributes(pairs):
    keys = [pair.key for pair in pairs]
    assert len(keys) == len(set(keys)), f"an attribute twice: {keys}"


def check_span(span):
    assert len(span.trace_id) == 16 and any(span.trace_id), span
    assert len(span.span_id) == 8 and any(span.span_id), span
    assert span.start_time_unix_nano <= span.end_time_unix_nano, span
    check_attributes(span.attributes)


def check_histogram_point(point):
    assert sum(point.bucket_counts) == point.count, point
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1, point
    check_attributes(point.attributes)


def check_exponential_point(point):
    assert sum(point.positive.bucket_counts) + point.zero_count == point.count, point
    assert 0 < len(point.positive.bucket_counts) <= 160 or point.count == point.zero_count, point
    assert not point.negative.bucket_counts, point
    times = [exemplar.time_unix_nano for exemplar in point.exemplars]
    assert times == sorted(times), point
    check_attributes(point.attributes)


def spans_of(request):
    for resource in request.resource_spans:
        check_attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                check_span(span)
                yield {"type": "span", "resource": plain(resource.resource),
                       "scope": plain(scope.scope), "span": plain(span)}


def points_of(request):
    for resource in request.resource_metrics:
        check_attributes(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                assert kind in NUMBERS, metric
                described = {"name": metric.name, "description": metric.description,
                             "unit": metric.unit, "kind": kind}
                if kind != "gauge":
                    described["temporality"] = getattr(metric, kind).aggregation_temporality
                if kind == "sum":
                    described["monotonic"] = metric.sum.is_monotonic
                for point in getattr(metric, kind).data_points:
                    if kind == "histogram":
                        check_histogram_point(point)
                    if kind == "exponential_histogram":
                        check_exponential_point(point)
                    yield {"type": "point", "resource": plain(resource.resource),
                           "scope": plain(scope.scope), "metric": described,
                           "point": plain(point)}


def records_of(request):
    for resource in request.resource_logs:
        check_attributes(resource.resource.attributes)
        for scope in resource.scope_logs:
            for record in scope.log_records:
                assert record.time_unix_nano and record.body.string_value, record
                check_attributes(record.attributes)
                yield {"type": "record", "resource": plain(resource.resource),
                       "scope": plain(scope.scope), "record": plain(record)}


class Sink:
    SIGNALS = {
        "/v1/traces": (trace_service_pb2.ExportTraceServiceRequest, spans_of,
                       trace_service_pb2.ExportTraceServiceResponse, "rejected_spans"),
        "/v1/metrics": (metrics_service_pb2.ExportMetricsServiceRequest, points_of,
                        metrics_service_pb2.ExportMetricsServiceResponse, "rejected_data_points"),
        "/v1/logs": (logs_service_pb2.ExportLogsServiceRequest, records_of,
                     logs_service_pb2.ExportLogsServiceResponse, "rejected_log_records"),
    }

    def __init__(self, output=None, fault_of=None):
        """fault_of(path, number of the request to that path), instead of POST /faults: a fault, {}
        for none. "keep": False keeps nothing, "reset": True closes without an answer."""
        self.lock = threading.Lock()
        self.output = open(output, "a", encoding="utf-8") if output else None
        self.fault_of = fault_of or (lambda path, number: self.faults.pop(0) if self.faults else {})
        self.kept, self.requests, self.faults, self.failures = [], [], [], []

    def requests_to(self, path):
        return sum(request["path"] == path for request in self.requests)

    def receive(self, path, headers, body):
        """(status, headers, reply body); no status: the connection is to be closed."""
        with self.lock:
            fault = self.fault_of(path, self.requests_to(path) + 1)
        time.sleep(fault.get("delay_s", 0))
        status = fault.get("status", 200)
        packed = headers.get("Content-Encoding") == "gzip"
        request_type, items_of, reply_type, rejected_field = self.SIGNALS[path]
        request = request_type.FromString(gzip.decompress(body) if packed else body)
        items = list(items_of(request))
        reject = fault.get("reject", 0)
        with self.lock:
            self.requests.append({"path": path, "status": status, "items": len(items),
                                  "bytes": len(body), "headers": dict(headers)})
            if 200 <= status < 300 and fault.get("keep", True):
                taken = items[:max(len(items) - max(reject, 0), 0)]
                self.kept += taken
                if self.output:
                    self.output.writelines(json.dumps(item) + "\n" for item in taken)
                    self.output.flush()
        if fault.get("reset"):
            return None, {}, b""
        reply = reply_type()
        if reject:
            setattr(reply.partial_success, rejected_field, reject)
            reply.partial_success.error_message = "rejected on request of the test"
        return status, fault.get("headers", {}), reply.SerializeToString()

    def query(self, path):
        with self.lock:
            spans = [item for item in self.kept if item["type"] == "span"]
            if path == "/spans":
                return spans
            if path.startswith("/traces/"):
                wanted = path.removeprefix("/traces/")
                return [item for item in spans if item["span"].get("trace_id") == wanted]
            if path == "/logs":
                return [item for item in self.kept if item["type"] == "record"]
            if path == "/metrics":
                return [item for item in self.kept if item["type"] == "point"]
            return list(self.requests) if path == "/requests" else None


def reply_class(sink):
    class Reply(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, headers, content, kind):
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": len(content),
                                **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            found = sink.query(self.path)
            self.answer(404 if found is None else 200, {}, json.dumps(found).encode(),
                        "application/json")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/faults":
                fault = json.loads(body)
                with sink.lock:
                    sink.faults += [fault] * fault.get("requests", 1)
                return self.answer(200, {}, b"", "text/plain")
            if self.path not in Sink.SIGNALS:
                return self.answer(404, {}, b"", "text/plain")
            try:
                status, headers, content = sink.receive(self.path, self.headers, body)
            except Exception as error:  # what the official decoder refuses is the agent's fault
                sink.failures.append(repr(error))
                print(f"otlp_sink: {error!r}", file=sys.stderr, flush=True)
                return self.answer(400, {}, repr(error).encode(), "text/plain")
            if status is None:
                self.close_connection = True
                return None
            return self.answer(status, headers, content, "application/x-protobuf")

        def log_message(self, *_):
            pass

    return Reply


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--client-ca")
    options = parser.parse_args()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):  # a client that gave up, as tests of faults make it do
            pass

    server = Server((options.host, options.port), reply_class(Sink(options.output)))
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key)
        if options.client_ca:
            context.load_verify_locations(options.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
