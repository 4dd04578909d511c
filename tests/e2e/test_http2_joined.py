"""HTTP/2 connections that are older than the agent: from then on every request counts, with the trace
context that it was sent with; what earlier heads said is not known."""
import contextlib
import subprocess
import sys

import pytest

from support import tls
from support.process import Process
from support.report import CLIENT, RPC_CLIENT, RPC_SERVER, SERVER
from support.servers import SERVICES, Nginx, Service
from support.waiting import accepts, eventually, free_port

HTTP2 = {"network.protocol.version": "2"}


@contextlib.contextmanager
def server_of(kind, folder, certificate, over_tls):
    """(process, URL)"""
    if kind == "nginx":
        server = tls.nginx(folder, certificate, http2=True) if over_tls else \
            Nginx(folder / "nginx", protocol="http2")
    else:
        server = Service(folder, "http2_service.js", arguments=[
            certificate.key, certificate.certificate] if over_tls else [])
    with server:
        yield server, f"{'https' if over_tls else 'http'}://127.0.0.1:{server.port}"


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("kind", ["nginx", "node"])
def test_every_request_from_then_on_counts(start_agent, tmp_path, certificate, kind, over_tls):
    """The client keeps the names of fields whose values vary in its table, which nobody has seen."""
    with server_of(kind, tmp_path, certificate, over_tls) as (server, url), \
            subprocess.Popen(["node", SERVICES / "http2_client.js", url, "5", "100"], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout.readline() == "first\n"
        agent = start_agent(ports=[server.port])
        if over_tls:
            tls.wait_for_probes(agent)
        client.stdin.write("\n")
        client.stdin.close()
        assert client.wait(timeout=30) == 0
        other = kind if kind == "nginx" else "node"
        agent.wait_for_count(SERVER, 100, other, **HTTP2)
        report = agent.wait_for_count(CLIENT, 100, "node", **HTTP2)
        assert report.count(SERVER) == report.count(CLIENT) == 100
        spans = report.find_spans(other, "SERVER")
    assert spans
    for span in spans:
        assert span["trace_id"].startswith("abcdef"), span
    told = agent.scrape()
    assert told.sum("exemplar_agent_head_tables_total", reason="unseen") > 0, "unknown, and counted"


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
def test_an_agent_that_is_restarted_under_load(start_agent, tmp_path, certificate, over_tls):
    """How many requests it sees is known by nobody, but each counts once, and as what it is."""
    with server_of("nginx", tmp_path, certificate, over_tls) as (server, url), \
            subprocess.Popen(["h2load", "-n", "100000", "-c", "4", "-m", "10", "--rps", "500",
                              f"{url}/ok"], stdout=subprocess.PIPE, text=True) as load:
        for _ in range(2):
            agent = start_agent(ports=[server.port])
            agent.wait_for_windows(2)
            report = agent.report()
            assert report.count(SERVER, "nginx", **HTTP2) > 100
            assert report.count(SERVER, "nginx") == report.count(
                SERVER, "nginx", **HTTP2, **{"http.response.status_code": 200})
            assert agent.stop() == 0
        load.terminate()
        load.wait()


ASK = """\
import sys
import grpc

add = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}").unary_unary("/shop.Cart/Add")
add(b"first")
print("first", flush=True)
sys.stdin.readline()
for number in range(40):
    add(b"%d" % number)
for _ in range(4):
    try:
        add(b"missing")
    except grpc.RpcError:
        pass
"""


def test_calls_are_calls_there_too(start_agent, tmp_path):
    """The library refers to earlier heads for all but what varies: a call is known by its
    trailers, and one that fails without any by the others on its connection."""
    port = free_port()
    with Process([sys.executable, SERVICES / "grpc_service.py", port],
                 log=tmp_path / "grpc_service.log"):
        eventually(lambda: accepts(port), what="the service")
        with subprocess.Popen([sys.executable, "-c", ASK, str(port)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdout.readline() == "first\n"
            agent = start_agent(ports=[port])
            client.stdin.write("\n")
            client.stdin.close()
            assert client.wait(timeout=30) == 0
        for metric in (RPC_SERVER, RPC_CLIENT):
            report = agent.wait_for_count(metric, 44)
        assert report.count(SERVER) == report.count(CLIENT) == 0
