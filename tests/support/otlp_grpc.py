"""An OTLP/gRPC backend inside the test: gRPC's own core in front of the sink of otlp_sink.py."""
import time
from concurrent import futures
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from support.otlp_backend import OtlpBackend
from support.otlp_sink import Sink

METHODS = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "/v1/traces",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "/v1/metrics",
}


@dataclass
class CallAnswer:
    """code: of gRPC, by name. retry_delay_s: a RetryInfo in its details."""
    code: str = "OK"
    message: str = ""
    retry_delay_s: float | None = None
    reject_spans: int = 0

    def as_fault(self, path):
        return {"status": 200 if self.code == "OK" else 503, "headers": {"answer": self},
                "reject": self.reject_spans if path == "/v1/traces" else 0}

    def details(self):
        detail = any_pb2.Any()
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(self.retry_delay_s * 1e9))
        detail.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        code = grpc.StatusCode[self.code].value[0]
        return status_pb2.Status(code=code, message=self.message, details=[detail]).SerializeToString()


class Calls(grpc.GenericRpcHandler):
    def __init__(self, sink):
        self.sink, self.metadata = sink, []
        self.arrivals = []  # (path, time of the monotonic clock)

    def service(self, handler_call_details):
        path = METHODS.get(handler_call_details.method)
        if path is None:
            return None
        self.arrivals.append((path, time.monotonic()))
        self.metadata.append(dict(handler_call_details.invocation_metadata))
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self.answer(path, request, context))

    def answer(self, path, request, context):
        try:
            status, headers, reply = self.sink.receive(path, {}, request)
        except Exception as error:  # what the official decoder refuses is the agent's fault
            self.sink.failures.append(repr(error))
            raise
        if status == 200:
            return reply
        answer = headers["answer"]
        if answer.retry_delay_s is not None:
            context.set_trailing_metadata([("grpc-status-details-bin", answer.details())])
        return context.abort(grpc.StatusCode[answer.code], answer.message)


class GrpcBackend(OtlpBackend):
    """As OtlpBackend; `answer` says a CallAnswer. credentials: of a server; port: 0 for any."""

    def __init__(self, answer=lambda path, number: CallAnswer(), credentials=None, port=0, options=()):
        self.sink = Sink(fault_of=lambda path, number: answer(path, number).as_fault(path))
        self.calls = Calls(self.sink)
        self.server = grpc.server(futures.ThreadPoolExecutor(4), [self.calls], options=options)
        address = f"127.0.0.1:{port}"
        self.port = self.server.add_secure_port(address, credentials) if credentials else \
            self.server.add_insecure_port(address)
        self.url = f"{'https' if credentials else 'http'}://127.0.0.1:{self.port}"
        self.server.start()

    def stop(self):
        self.server.stop(grace=None).wait()
