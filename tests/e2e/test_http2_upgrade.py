"""HTTP/2 that a client asks for in HTTP/1: the request that asked is answered in HTTP/2."""
import collections
import re
import subprocess

import pytest

from support import tls
from support.load import curl
from support.report import CLIENT, SERVER
from support.waiting import eventually

HTTP2 = {"network.protocol.version": "2"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(name="apache2")
def apache_that_upgrades(tmp_path):
    with tls.apache(tmp_path, http2=True) as server:
        yield server


def test_every_request_counts_once_at_both_ends(start_agent, apache2):
    """Some servers answer at once in HTTP/1 if that is shorter."""
    agent = start_agent(ports=[apache2.port])
    said = collections.Counter()
    for path in ("text", "absent", "text", "nothing") * 4:
        done = curl("--http2", "-H", f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01",
                    f"{apache2.url}/{path}").transfers[0]
        said[done["http_version"], done["response_code"]] += 1
    assert said["2", 200] == 8
    for metric, program in ((SERVER, "apache2"), (CLIENT, "curl")):
        report = agent.wait_for_count(metric, 16, program)
        for (version, status), number in said.items():
            assert report.count(metric, program, **{
                "http.request.method": "GET", "http.response.status_code": status,
                "network.protocol.version": version}) == number
    spans = agent.report().spans
    assert {span["trace_id"] for span in spans} == {TRACE}
    assert {span["attributes"]["url.path"] for span in spans} <= {
        "/text", "/absent", "/nothing"}


def processed_of(streams, url):
    """How many of them nghttp has got answers to: now and then it leaves after the one that asked."""
    done = subprocess.run(["nghttp", "--upgrade", "-n", "-m", str(streams), url], check=True,
                          timeout=60, capture_output=True, text=True)
    few = re.search(r"not processed. total=\d+, processed=(\d+)", done.stdout + done.stderr)
    return int(few[1]) if few else streams


def test_a_connection_goes_on_with_more_streams(start_agent, apache2):
    agent = start_agent(ports=[apache2.port])
    processed = []
    while not processed or processed[-1] < 20:
        assert len(processed) < 20, processed
        processed.append(processed_of(20, f"{apache2.url}/text"))
    answered = {**HTTP2, "http.response.status_code": 200}
    agent.wait_for_count(CLIENT, sum(processed), "nghttp", **answered)
    if len(processed) == 1:
        agent.wait_for_count(SERVER, 20, "apache2", **answered)
    else:  # it may have answered more than nghttp waited for
        eventually(lambda: agent.report().count(SERVER, "apache2", **answered) >= sum(processed),
                   what="what nghttp has got answers to, at the server")


def test_a_server_that_does_not_go_on_in_it_speaks_http1(start_agent, tmp_path):
    with tls.apache(tmp_path) as server:
        agent = start_agent(ports=[server.port])
        assert curl("--http2", f"{server.url}/text").transfers[0]["http_version"] == "1.1"
        agent.wait_for_count(SERVER, 1, "apache2", **{"network.protocol.version": "1.1"})
        agent.wait_for_count(CLIENT, 1, "curl", **{"network.protocol.version": "1.1"})
