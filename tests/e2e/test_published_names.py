"""Processes that an SDK names from within: Datadog's, which publishes the resource of its telemetry as
OpenTelemetry's OTEP 4719 says."""
import contextlib

import pytest

from support.agent import ROOT
from support.load import curl
from support.process import Process
from support.report import SERVER
from support.waiting import accepts, eventually, free_port

# Loads the SDK after so many requests.
SERVER_PROGRAM = """\
import http.server, sys
port, until = int(sys.argv[1]), int(sys.argv[2])
served = 0
def publish_in_time():
    if served == until:
        import ddtrace.auto
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global served
        served += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        publish_in_time()
publish_in_time()
http.server.HTTPServer(("127.0.0.1", port), Ok).serve_forever()
"""
SDK = {"DD_SERVICE": "checkout, eu", "DD_ENV": "prod", "DD_VERSION": "1.2", "DD_TRACE_ENABLED": "false",
       "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false", "DD_REMOTE_CONFIGURATION_ENABLED": "false"}


@contextlib.contextmanager
def served(folder, until, port=None):
    (folder / "server.py").write_text(SERVER_PROGRAM)
    port = port or free_port()
    program = Process([ROOT / "build/venv/bin/python", folder / "server.py", port, until],
                      log=folder / "server.log", env=SDK)
    with program:
        eventually(lambda: accepts(port), what="the server")
        yield f"http://127.0.0.1:{port}/"


def assert_named(series):
    assert series["service"] == SDK["DD_SERVICE"]
    resource = series["resource"]
    assert resource["service.version"] == "1.2"
    assert resource["deployment.environment.name"] == "prod"
    # Which process it is, the agent says; programs that have just started share a series.
    assert resource["telemetry.sdk.name"] == "exemplar-agent"
    assert str(resource.get("process.pid", "")) in resource.get("service.instance.id", "")


@pytest.mark.parametrize("agent_first", [True, False], ids=["agent first", "program first"])
def test_a_process_is_named_as_it_publishes(start_agent, tmp_path, agent_first):
    port = free_port()
    agent = start_agent(ports=[port]) if agent_first else None
    with served(tmp_path, until=0, port=port) as url:
        agent = agent or start_agent(ports=[port])
        curl(url)
        series, = agent.wait_for_count(SERVER, 1).series(SERVER)
    assert_named(series)


def test_a_process_that_publishes_late_is_named_from_then_on(start_agent, tmp_path):
    port = free_port()
    agent = start_agent(ports=[port])
    with served(tmp_path, until=1, port=port) as url:
        curl(url)
        first, = agent.wait_for_count(SERVER, 1).series(SERVER)
        assert first["service"] == "server"

        def asked():
            curl(url)
            return [series for series in agent.report().series(SERVER)
                    if series["service"] == SDK["DD_SERVICE"]]

        series, = eventually(asked, within=30, what="requests under the published name")
        assert_named(series)
