"""HTTP/2 over TLS, as nearly every client speaks it: the plaintext takes the walk that a plain
socket's bytes take, so it tells the same."""
import pytest

from support import tls
from support.load import curl, h2load
from support.report import CLIENT, SERVER
from support.servers import Service

HTTP2 = {"network.protocol.version": "2", "url.scheme": "https"}
OK = {**HTTP2, "http.response.status_code": 200}


@pytest.fixture(name="start")
def starter(start_agent):
    """An agent that has placed its probes for the server."""
    def begin(server):
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, None if server.command[0].endswith("nginx") else server)
        return agent
    return begin


@pytest.fixture(name="nginx2")
def nginx_of_http2(tmp_path, certificate):
    with tls.nginx(tmp_path, certificate, http2=True) as server:
        yield server


def test_one_request_is_told_like_any_other(start, nginx2):
    agent = start(nginx2)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    done = curl("--insecure", "--http2", "-H", f"traceparent: 00-{trace}-00f067aa0ba902b7-01",
                f"{nginx2.url}/ok?secret=1")
    assert done.transfers[0]["http_version"] == "2"
    report = agent.wait_for_count(SERVER, 1, "nginx")
    agent.wait_for_count(CLIENT, 1, "curl")
    assert report.count(SERVER, "nginx", **OK) == 1
    client, server = (next(span for span in agent.report().spans if span["kind"] == kind)
                      for kind in ("CLIENT", "SERVER"))
    assert client["trace_id"] == server["trace_id"] == trace
    assert client["parent_span_id"] == "00f067aa0ba902b7"
    assert server["parent_span_id"] in (client["span_id"], client["parent_span_id"])
    assert server["name"] == "GET /ok"
    assert server["attributes"]["url.path"] == "/ok"
    assert server["attributes"]["server.port"] == nginx2.port
    assert client["attributes"]["network.peer.port"] == nginx2.port


def test_client_and_server_share_a_trace_without_any_header(start, nginx2):
    agent = start(nginx2)
    for _ in range(3):
        curl("--insecure", "--http2", f"{nginx2.url}/ok")
    agent.wait_for_count(SERVER, 3, "nginx")
    agent.wait_for_count(CLIENT, 3, "curl")
    agent.wait_for_joined("curl", "nginx")


@pytest.mark.parametrize("streams,requests", [(1, 5_000), (10, 10_000), (100, 4_000)])
def test_every_stream_counts_at_both_ends(start, nginx2, streams, requests):
    agent = start(nginx2)
    load = h2load(f"{nginx2.url}/ok", requests, clients=4, pipelined=streams, http2=True)
    assert load.failed == 0
    report = agent.wait_for_count(SERVER, requests, "nginx", **OK)
    agent.wait_for_count(CLIENT, requests, "h2load", **OK)
    assert report.count(SERVER) == requests


def test_large_bodies_end_their_streams(start, nginx2):
    agent = start(nginx2)
    load = h2load(f"{nginx2.url}/files/big", 60, clients=2, pipelined=10, http2=True)
    assert load.failed == 0
    agent.wait_for_count(SERVER, 60, "nginx", **OK)
    agent.wait_for_count(CLIENT, 60, "h2load", **OK)


def test_node_at_both_ends(start, tmp_path, certificate):
    with Service(tmp_path, "http2_service.js",
                 arguments=[certificate.key, certificate.certificate]) as server:
        agent = start(server)
        url = f"https://127.0.0.1:{server.port}/ok"
        for _ in range(3):
            curl("--insecure", "--http2", url)
        assert h2load(url, 1000, clients=2, pipelined=20, http2=True).failed == 0
        agent.wait_for_count(SERVER, 1003, "node", **OK)
        agent.wait_for_count(CLIENT, 1000, "h2load", **OK)


def test_apache(start, tmp_path, certificate):
    """Whose threads hand a connection on to each other."""
    with tls.apache(tmp_path, certificate, http2=True) as server:
        agent = start(server)
        h2load(f"{server.url}/absent", 2000, clients=4, pipelined=20, http2=True)
        missing = {**HTTP2, "http.response.status_code": 404}
        agent.wait_for_count(SERVER, 2000, "apache2", **missing)
        agent.wait_for_count(CLIENT, 2000, "h2load", **missing)


def test_go_at_both_ends(start, tmp_path, certificate, go):
    with tls.go_server(tmp_path, certificate, go, kind="server2") as server:
        agent = start(server)
        tls.run(go, "client2", f"{server.url}/ok", 8, 100)
        tls.run(go, "client2", f"{server.url}/fail", 2, 10)
        tls.run(go, "client2", f"{server.url}/big", 4, 5)
        for metric in (SERVER, CLIENT):
            report = agent.wait_for_count(metric, 840)
            assert report.count(metric, **OK) == 820
            assert report.count(metric, **HTTP2, **{"http.response.status_code": 500}) == 20


def test_a_client_that_goes_once_it_has_what_it_was_promised(start, tmp_path, certificate, go):
    """Go ends the stream of a file with a frame of its own, which curl does not wait for."""
    with tls.go_server(tmp_path, certificate, go, kind="server2") as server:
        agent = start(server)
        for _ in range(20):
            curl("--insecure", "--http2", f"{server.url}/file")
        for metric in (SERVER, CLIENT):
            report = agent.wait_for_count(metric, 20, **OK)
            assert not [row for row in report.series(metric) if "error.type" in row["attributes"]]


def test_uploads_of_50_mb_side_by_side(start, tmp_path, certificate, go):
    """Flow control stops and starts them many times."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(50 << 20)
    with tls.go_server(tmp_path, certificate, go, kind="server2") as server:
        agent = start(server)
        uploads = [part for number in range(4)
                   for part in ("--upload-file", large, f"{server.url}/upload/{number}")]
        curl("--insecure", "--http2", "--parallel", "--parallel-immediate", *uploads)
        for metric in (SERVER, CLIENT):
            report = agent.wait_for_count(metric, 4, **OK)
            assert not [row for row in report.series(metric) if "error.type" in row["attributes"]]


def test_heads_of_many_frames(start, tmp_path, certificate):
    """CONTINUATION, at both ends."""
    with Service(tmp_path, "http2_service.js",
                 arguments=[certificate.key, certificate.certificate]) as server:
        agent = start(server)
        fields = [part for number in range(5) for part in ("-H", f"X-{number}: {'v' * 9000}")]
        for _ in range(5):
            curl("--insecure", "--http2", *fields, f"https://127.0.0.1:{server.port}/large",
                 check=False)
        agent.wait_for_count(SERVER, 5, "node", **HTTP2)
        report = agent.wait_for_count(CLIENT, 5, "curl", **HTTP2)
        assert report.exemplars(CLIENT, "curl")
