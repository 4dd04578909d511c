"""Whose bytes these are: an object of a library serves one connection after another, and the two ends
of a connection find each other however it began."""
import subprocess

import pytest

from support import tls
from support.load import curl
from support.report import CLIENT, SERVER
from support.servers import SERVICES

PYTHON = "/usr/bin/python3"
EVERY_SPAN = "exemplars:\n  budget: 5000\n  floor: 1\n"


def joined(report, server_program, client_program):
    """(server spans, those of them that are of the same trace as the client's end). Their parent is the
    client's span; none is named only where the two ends were exported with different windows."""
    clients = {span["trace_id"]: span for span in report.find_spans(client_program, "CLIENT")}
    servers = report.find_spans(server_program, "SERVER")
    both = [(span, clients[span["trace_id"]]) for span in servers if span["trace_id"] in clients]
    for server, client in both:
        if int(server["parent_span_id"] or "0", 16) or \
                report.exported_with[server["span_id"]] == report.exported_with[client["span_id"]]:
            assert server["parent_span_id"] == client["span_id"], server
    return len(servers), len(both)


@pytest.mark.parametrize("kind", ["server", "listener"])
def test_go_gives_no_connection_the_answer_of_another(start_agent, tmp_path, certificate, go, kind):
    """The collector puts the next connection where one was that ended without an answer."""
    with tls.go_server(tmp_path, certificate, go, kind) as server:
        agent = start_agent(ports=[server.port], config=EVERY_SPAN)
        tls.wait_for_probes(agent, server)
        for _ in range(40):
            curl("--insecure", f"{server.url}/none", check=False)
            curl("--insecure", f"{server.url}/collected")
        for metric, program in ((SERVER, "tls_go"), (CLIENT, "curl")):
            report = agent.wait_for_count(metric, 80, program)
            assert report.count(metric, program, **{"http.response.status_code": 200}) == 40
        report = agent.wait_for_windows(2)

    spans = report.find_spans("tls_go", "SERVER")
    peers = [span["attributes"]["network.peer.port"] for span in spans]
    assert len(peers) == 80 and len(set(peers)) == 80
    for span in spans:
        answered = span["attributes"].get("http.response.status_code")
        assert answered == (None if span["attributes"]["url.path"] == "/none" else 200), span
    assert joined(report, "tls_go", "curl") == (80, 80)


@pytest.mark.parametrize("how", ["turns", "turns2"], ids=["HTTP/1.1", "HTTP/2"])
def test_go_connections_that_are_older_than_the_agent_lose_no_request(start_agent, tmp_path, certificate,
                                                                      go, how):
    """Both ends wait in a read, which is not seen as it begins: a client that missed one answer would take
    each later one for that of the request before."""
    asked = ["/ok", "/fail", "/fail", "/ok", "/fail"]
    with tls.go_server(tmp_path, certificate, go, "server2") as server, \
            subprocess.Popen([go, how, server.url], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE) as client:
        def ask(path):
            client.stdin.write(f"{path}\n")
            client.stdin.flush()
            return int(client.stdout.readline())

        assert ask("/ok") == 200
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        assert [ask(path) for path in asked] == [500 if path == "/fail" else 200 for path in asked]
        client.stdin.close()
        client.wait()
        for metric in (SERVER, CLIENT):
            agent.wait_for_count(metric, 5, "tls_go")
        report = agent.wait_for_windows(2)
    for metric in (SERVER, CLIENT):
        assert report.count(metric) == report.count(metric, "tls_go") == 5
        for status in (200, 500):
            assert report.count(metric, **{"http.response.status_code": status}) == \
                sum((path == "/fail") == (status == 500) for path in asked), report.series(metric)


def test_a_single_request_of_a_go_client_has_its_address_and_its_link(start_agent, tmp_path,
                                                                      certificate, go):
    with tls.go_server(tmp_path, certificate, go, "listener") as server:
        agent = start_agent(ports=[server.port], config=EVERY_SPAN)
        tls.wait_for_probes(agent, server)
        tls.run(go, "dial", server.port, "/ok", 20)
        agent.wait_for_count(SERVER, 20, "tls_go")
        agent.wait_for_count(CLIENT, 20, "tls_go")
        report = agent.wait_for_windows(2)

    spans = report.find_spans("tls_go", "CLIENT")
    assert [span["attributes"]["network.peer.port"] for span in spans] == [server.port] * 20
    assert joined(report, "tls_go", "tls_go") == (20, 20)


@pytest.mark.parametrize("how", ["explicit", "implicit", "forked", "forked-freed", "memory"])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_both_ends_are_joined_however_the_handshake_ran(start_agent, tmp_path, certificate, how,
                                                        version):
    """Four requests on each of three connections, none with a context of its own."""
    with tls.handshake_server(tmp_path, certificate, how) as server:
        agent = start_agent(ports=[server.port], config=EVERY_SPAN)
        tls.wait_for_probes(agent, server)
        tls.run(PYTHON, SERVICES / "tls_steady_client.py", server.port, 3, 4, version)
        agent.wait_for_count(SERVER, 12, "python")
        agent.wait_for_count(CLIENT, 12, "python")
        report = agent.wait_for_windows(2)
    assert joined(report, "python", "python") == (12, 12)


@pytest.mark.parametrize("kind", ["nginx", "go", "node"])
def test_connections_from_one_port_are_traces_of_their_own(start_agent, tmp_path, certificate,
                                                           request, kind):
    """As on a busy host, which gives out its ports again within minutes."""
    server = {
        "nginx": lambda: tls.nginx(tmp_path, certificate),
        "go": lambda: tls.go_server(tmp_path, certificate, request.getfixturevalue("go")),
        "node": lambda: tls.node_server(tmp_path, certificate),
    }[kind]()
    with server:
        agent = start_agent(ports=[server.port], config=EVERY_SPAN)
        tls.wait_for_probes(agent, server)
        tls.run(PYTHON, SERVICES / "tls_same_port.py", server.port, 4)
        agent.wait_for_count(CLIENT, 4, "python")
        report = agent.wait_for_windows(2)
    program = {"nginx": "nginx", "go": "tls_go", "node": "node"}[kind]
    spans = report.find_spans(program, "SERVER")
    assert len({span["attributes"]["network.peer.port"] for span in spans}) == 1
    assert len({span["trace_id"] for span in spans}) == 4
    assert joined(report, program, "python") == (4, 4)


@pytest.mark.parametrize("client", ["python", "node"])
def test_the_first_requests_of_libraries_that_only_see_memory(start_agent, tmp_path, certificate,
                                                              client):
    with tls.node_server(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port], config=EVERY_SPAN)
        tls.wait_for_probes(agent, server)
        if client == "python":
            tls.run(PYTHON, SERVICES / "tls_single_requests.py", server.port, 10)
        else:
            tls.run("node", SERVICES / "tls_client.js", f"{server.url}/ok", 10, 1)
        agent.wait_for_count(SERVER, 10, "node")
        agent.wait_for_count(CLIENT, 10, client)
        report = agent.wait_for_windows(2)
    assert joined(report, "node", client) == (10, 10)
