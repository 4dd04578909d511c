"""Processes whose spans an SDK makes: OpenTelemetry's own, for Python."""
import subprocess

import pytest

from support.agent import ROOT
from support.load import curl
from support.process import Process
from support.report import CLIENT, SERVER
from support.servers import SERVICES
from support.sink_process import SinkProcess
from support.waiting import accepts, eventually, free_port

MARK = "exemplar.beside_sdk"
CALLER = "00f067aa0ba902b7"


class Instrumented(Process):
    def __init__(self, folder, collector):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__([ROOT / "build/venv/bin/python", SERVICES / "sdk_service.py", self.port,
                          collector], log=folder / "sdk.log")
        eventually(lambda: accepts(self.port), what="the service")

    def ask(self, path, trace_id):
        curl("-H", f"traceparent: 00-{trace_id}-{CALLER}-01", f"{self.url}{path}")


@pytest.fixture
def collector(tmp_path):
    running = SinkProcess(lambda *command, **options: subprocess.Popen(command, **options),
                          "127.0.0.1", tmp_path)
    yield running
    running.stop()


@pytest.fixture
def service(tmp_path, collector):
    with Instrumented(tmp_path, collector.url) as running:
        yield running


def start(start_agent, collector, service, **settings):
    """An agent that has seen the service send spans."""
    port = int(collector.url.rsplit(":", 1)[1])
    agent = start_agent(ports=[service.port, port], window="1s", **settings)
    service.ask("/before", f"{1:032x}")
    eventually(lambda: collector.spans(f"{1:032x}"), what="the SDK's span")
    agent.wait_for_count(CLIENT, 1, "python", **{"server.port": port})
    return agent


def test_spans_beside_those_of_an_sdk_say_so_and_are_of_its_traces(start_agent, collector, service):
    agent = start(start_agent, collector, service)
    service.ask("/call", f"{2:032x}")

    def marked():
        spans = [span for span in agent.report().spans if span["trace_id"] == f"{2:032x}" and
                 MARK in span["attributes"]]
        assert len(spans) == 3, spans
        return spans
    spans = {(span["kind"], span["attributes"]["url.path"]): span for span in eventually(marked)}
    theirs = eventually(lambda: [span for span in collector.spans(f"{2:032x}")
                                 if span["kind"] == 3])  # it made the context of its request
    assert spans["CLIENT", "/called"]["parent_span_id"] == theirs[0]["span_id"]
    called = spans["SERVER", "/called"]
    assert called["parent_span_id"] == spans["CLIENT", "/called"]["span_id"]
    of_collector = agent.wait_for_windows(2).find_spans(kind="SERVER", **{"url.path": "/v1/traces"})
    assert of_collector and not any(MARK in span["attributes"] for span in of_collector)


def test_none_are_made_where_somebody_wants_the_sdks_only(start_agent, collector, service):
    agent = start(start_agent, collector, service, config="exemplars:\n  beside_sdk: skip\n")
    service.ask("/one", f"{3:032x}")

    def exemplar():
        report = agent.report()
        return [one for one in report.exemplars(SERVER, "python") if
                one.get("trace_id") == f"{3:032x}"]
    assert eventually(exemplar)[0]["span_id"] == CALLER
    assert agent.stop() == 0, agent.log()
    report = agent.report()
    assert not report.find_spans("python", **{"url.path": "/one"})
    assert report.find_spans("curl", **{"url.path": "/one"}), "others' spans are made"
