"""HTTP/2 without TLS, and gRPC on it: every stream counts once at each end, however many share a
connection."""
import json
import subprocess
import sys

import pytest

from support.agent import run_cli
from support.load import curl, h2load
from support.process import Process
from support.report import CLIENT, RPC_CLIENT, RPC_SERVER, SERVER
from support.servers import SERVICES, Nginx
from support.waiting import accepts, eventually, free_port

HTTP2 = {"network.protocol.version": "2"}


@pytest.fixture(name="nginx2")
def nginx_of_http2(tmp_path):
    with Nginx(tmp_path / "nginx", protocol="http2") as server:
        yield server


def test_one_request_is_told_like_any_other(start_agent, nginx2):
    agent = start_agent(ports=[nginx2.port])
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    curl("--http2-prior-knowledge", "-H", f"traceparent: 00-{trace}-00f067aa0ba902b7-01",
         f"{nginx2.url}/ok?secret=1")
    report = agent.wait_for_count(SERVER, 1, "nginx")
    agent.wait_for_count(CLIENT, 1, "curl")
    assert report.count(SERVER, "nginx", **HTTP2, **{
        "http.request.method": "GET", "url.scheme": "http", "http.response.status_code": 200}) == 1
    client, server = (next(span for span in agent.report().spans if span["kind"] == kind)
                      for kind in ("CLIENT", "SERVER"))
    assert client["trace_id"] == server["trace_id"] == trace
    assert client["parent_span_id"] == "00f067aa0ba902b7"
    assert server["parent_span_id"] in (client["span_id"], client["parent_span_id"])
    assert server["name"] == "GET /ok"
    assert server["attributes"]["url.path"] == "/ok"
    assert server["attributes"]["server.address"] == "127.0.0.1"


def test_client_and_server_share_a_trace_without_any_header(start_agent, nginx2):
    agent = start_agent(ports=[nginx2.port])
    for _ in range(3):
        curl("--http2-prior-knowledge", f"{nginx2.url}/ok")
    agent.wait_for_count(SERVER, 3, "nginx")
    agent.wait_for_count(CLIENT, 3, "curl")
    agent.wait_for_joined("curl", "nginx")


def test_statuses_and_methods(start_agent, nginx2):
    agent = start_agent(ports=[nginx2.port])
    for path in ("ok", "empty", "broken", "moved", "absent"):
        curl("--http2-prior-knowledge", f"{nginx2.url}/{path}")
    curl("--http2-prior-knowledge", "--head", f"{nginx2.url}/ok")
    # Answered before its body was read, and then reset: to this curl now and then an error.
    curl("--http2-prior-knowledge", "--data", "few", f"{nginx2.url}/ok", check=False)
    report = agent.wait_for_count(SERVER, 7, "nginx")
    agent.wait_for_count(CLIENT, 7, "curl")
    for status, number in ((200, 3), (204, 1), (503, 1), (302, 1), (404, 1)):
        assert report.count(SERVER, "nginx", **{"http.response.status_code": status}) == number
    assert report.count(SERVER, "nginx", **{"error.type": "503"}) == 1
    for method, number in (("GET", 5), ("HEAD", 1), ("POST", 1)):
        assert report.count(SERVER, "nginx", **{"http.request.method": method}) == number


@pytest.mark.parametrize("streams,requests", [(1, 16_000), (10, 16_000), (100, 4_000)])
def test_every_stream_counts_at_both_ends_and_in_the_servers_log(start_agent, nginx2, streams,
                                                                 requests):
    """As fast as they go: no more than a ring holds, however slow the machine is."""
    agent = start_agent(ports=[nginx2.port])
    load = h2load(f"{nginx2.url}/ok", requests, clients=4, pipelined=streams, http2=True)
    assert load.failed == 0
    report = agent.wait_for_count(SERVER, requests, "nginx", **HTTP2)
    agent.wait_for_count(CLIENT, requests, "h2load", **HTTP2)
    assert report.count(SERVER, "nginx", **{"http.response.status_code": 200}) == requests
    assert len(nginx2.finish()) == requests


def test_bodies_by_sendfile_end_their_streams(start_agent, nginx2):
    nginx2.add_file("large", 300_000)
    agent = start_agent(ports=[nginx2.port])
    load = h2load(f"{nginx2.url}/files/large", 400, clients=4, pipelined=100, http2=True)
    assert load.failed == 0
    report = agent.wait_for_count(SERVER, 400, "nginx", **HTTP2)
    assert report.count(SERVER, "nginx", **{"http.response.status_code": 200}) == 400
    agent.wait_for_count(CLIENT, 400, "h2load", **HTTP2)


def test_calls_of_grpc_have_the_statuses_that_its_library_says(start_agent, tmp_path):
    port = free_port()
    with Process([sys.executable, SERVICES / "grpc_service.py", port],
                 log=tmp_path / "grpc_service.log"):
        eventually(lambda: accepts(port), what="the service")
        agent = start_agent(ports=[port])
        said = subprocess.run([sys.executable, SERVICES / "grpc_client.py", str(port)], check=True,
                              capture_output=True, text=True, timeout=60)
        ended = json.loads(said.stdout)
        assert sum(ended.values()) == 216
        report = agent.wait_for_count(RPC_CLIENT, 216)
        for call, number in ended.items():
            method, status = call.split(" ")
            assert report.count(RPC_CLIENT, **{"rpc.method": f"shop.Cart/{method}",
                                               "rpc.status_code": status}) == number, call
        report = agent.wait_for_count(RPC_SERVER, 216)
        assert report.count(RPC_SERVER, **{"rpc.method": "shop.Cart/Add",
                                           "rpc.status_code": "NOT_FOUND"}) == 4
        # What a server does not implement may be any text of a stranger's.
        assert report.count(RPC_SERVER, **{"rpc.method": "_OTHER"}) == 4
        told = run_cli("status", "--lock-file", agent.lock_path).stdout
        assert " gRPC " in told and " HTTP/1 " not in told, told
        assert report.count(SERVER) == report.count(CLIENT) == 0, "a call counts once"
        assert {span["name"] for span in report.spans} >= {"shop.Cart/Add", "shop.Cart/List"}
