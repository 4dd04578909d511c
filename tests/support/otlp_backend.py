"""An OTLP/HTTP backend inside the test: otlp_sink.py on a thread. Keeps what it accepted, answers as
the test says, and tells what it has in python's own types."""
import threading
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer

from support.load import curl
from support.otlp_sink import Sink, reply_class
from support.report import CLIENT, SERVER

KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}
STATUSES = {0: "UNSET", 1: "OK", 2: "ERROR"}
DELTA, CUMULATIVE = 1, 2


def plain(value):
    """An AnyValue as a value of python."""
    (kind, content), = value.items()
    return int(content) if kind == "int_value" else content


def attributes(message):
    return {pair["key"]: plain(pair["value"]) for pair in message.get("attributes", [])}


@dataclass
class Answer:
    """accept=False: nothing of the request is kept. reject_spans: a partial success that refuses so
    many spans, the last of the request."""
    status: int = 200
    headers: dict = field(default_factory=dict)
    accept: bool = True
    reject_spans: int = 0
    reset: bool = False

    def as_fault(self, path):
        return {"status": self.status, "headers": self.headers, "keep": self.accept,
                "reset": self.reset, "reject": self.reject_spans if path == "/v1/traces" else 0}


class OtlpBackend:
    """Answers /v1/traces, /v1/metrics and /v1/logs. `answer` is called with (path, number of the request to
    that path) and says how; by default all is accepted."""

    def __init__(self, answer=lambda path, number: Answer()):
        self.sink = Sink(fault_of=lambda path, number: answer(path, number).as_fault(path))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), reply_class(self.sink))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    @property
    def requests(self):
        with self.sink.lock:
            return {path: self.sink.requests_to(path) for path in Sink.SIGNALS}

    def spans(self):
        return [self._described(item["span"], item["resource"])
                for item in self.sink.query("/spans")]

    def records(self):
        """Log records: their sentence, severity, ids and attributes."""
        return [{"body": record["body"]["string_value"], "severity": record["severity_text"],
                 "trace_id": record.get("trace_id", ""), "span_id": record.get("span_id", ""),
                 "attributes": attributes(record), "resource": attributes(item["resource"])}
                for item in self.sink.query("/logs") for record in [item["record"]]]

    def added(self, metric):
        """What points of delta temporality add up to, of a histogram or a counter."""
        items = [item for item in self.sink.query("/metrics") if item["metric"]["name"] == metric]
        assert all(item["metric"]["temporality"] == DELTA for item in items), metric
        return sum(int(item["point"].get("count", item["point"].get("as_int", 0)))
                   for item in items)

    def points(self, metric):
        """The newest point of each series of a histogram, with the exemplars of all of them."""
        newest = {}
        for item in self.sink.query("/metrics"):
            if item["metric"]["name"] != metric or item["metric"]["kind"] != "histogram":
                continue
            assert item["metric"]["temporality"] == CUMULATIVE, item
            point, resource = item["point"], attributes(item["resource"])
            labels = attributes(point)
            key = (str(sorted(resource.items())), str(sorted(labels.items())))
            newest[key] = {
                "attributes": labels, "resource": resource, "count": int(point["count"]),
                "sum": point["sum"], "exemplars":
                    newest.get(key, {}).get("exemplars", []) + [
                        {"value": one["as_double"], "trace_id": one.get("trace_id", ""),
                         "span_id": one.get("span_id", "")} for one in point.get("exemplars", [])]}
        return list(newest.values())

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
        assert not self.sink.failures, self.sink.failures

    @staticmethod
    def _described(span, resource):
        described = attributes(resource)
        return {
            "trace_id": span["trace_id"], "span_id": span["span_id"],
            "parent_span_id": span.get("parent_span_id", ""), "name": span["name"],
            "kind": KINDS[span["kind"]], "start_unix_ns": int(span["start_time_unix_nano"]),
            "end_unix_ns": int(span["end_time_unix_nano"]), "resource": described,
            "service": described["service.name"],
            "status": STATUSES[span.get("status", {}).get("code", 0)],
            "attributes": attributes(span)}


def integrity(backend):
    """(exemplars with ids, those of them whose span the backend has)."""
    stored = {(span["trace_id"], span["span_id"]) for span in backend.spans()}
    ids = [(one["trace_id"], one["span_id"]) for metric in (SERVER, CLIENT)
           for point in backend.points(metric) for one in point["exemplars"] if one["trace_id"]]
    return len(ids), sum(pair in stored for pair in ids)


def ask(nginx, times=1):
    for _ in range(times):
        curl(*[f"{nginx.url}/ok"] * 10, f"{nginx.url}/broken")
