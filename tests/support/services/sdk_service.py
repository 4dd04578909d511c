"""sdk_service.py PORT COLLECTOR_URL: any path, with OpenTelemetry's own SDK, which sends its spans by
OTLP; /call asks this service itself."""
import http.client
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

port, collector = int(sys.argv[1]), sys.argv[2]
provider = TracerProvider(resource=Resource.create({"service.name": "sdk"}))
provider.add_span_processor(BatchSpanProcessor(
    OTLPSpanExporter(endpoint=f"{collector}/v1/traces"), schedule_delay_millis=200))
trace.set_tracer_provider(provider)


def call():
    with trace.get_tracer("service").start_as_current_span("GET", kind=trace.SpanKind.CLIENT):
        headers = {}
        propagate.inject(headers)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/called", headers=headers)
        connection.getresponse().read()
        connection.close()


def answer(environ, start_response):
    if environ["PATH_INFO"] == "/call":
        call()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\n"]


class Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", port, OpenTelemetryMiddleware(answer), Threading, Quiet).serve_forever()
