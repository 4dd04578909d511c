"""Encrypted traffic gives the same result as plain traffic, whatever library carries it."""
import pathlib
import re

import pytest

from support import bpf_objects, tls
from support.agent import run_cli
from support.load import curl, h2load, wrk
from support.report import CLIENT, SERVER
from support.servers import SERVICES
from support.waiting import eventually

PYTHON = "/usr/bin/python3"


def https(code, method="GET"):
    return {"http.request.method": method, "http.response.status_code": code,
            "url.scheme": "https"}


@pytest.fixture
def start(start_agent):
    """An agent that has placed its probes for the server."""
    def begin(server, **settings):
        agent = start_agent(ports=[server.port], **settings)
        tls.wait_for_probes(agent, None if server.command[0].endswith("nginx") else server)
        return agent
    return begin


def assert_addresses(report, server, program, kind):
    """Right or left out; never another connection's."""
    key = "network.peer.port" if kind == "CLIENT" else "server.port"
    told = [span["attributes"][key] for span in report.find_spans(program, kind)
            if "network.peer.port" in span["attributes"]]
    assert all(port == server.port for port in told), told
    return len(told)


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_nginx_and_curl_seen_from_both_ends(start, tmp_path, certificate, protocol):
    with tls.nginx(tmp_path, certificate, protocol) as server:
        agent = start(server)
        curl("--insecure", *[f"{server.url}/ok"] * 20, *[f"{server.url}/fail"] * 3)

        for metric, program in ((SERVER, "nginx"), (CLIENT, "curl")):
            report = agent.wait_for_count(metric, 23, program)
            assert report.count(metric, program, **https(200)) == 20
            assert report.count(metric, program, **https(500)) == 3
        assert assert_addresses(report, server, "curl", "CLIENT") > 0
        assert assert_addresses(report, server, "nginx", "SERVER") > 0


def test_the_two_ends_of_a_connection_are_joined_without_a_header(start, tmp_path, certificate):
    with tls.nginx(tmp_path, certificate) as server:
        agent = start(server)
        for asked in range(1, 6):
            curl("--insecure", f"{server.url}/fail")
            agent.wait_for_count(SERVER, asked, "nginx")
            report = agent.wait_for_count(CLIENT, asked, "curl")
            if report.find_spans("nginx", "SERVER")[-1]["parent_span_id"]:
                break  # else its client's end came after the window had closed

    client = report.find_spans("curl", "CLIENT")[-1]
    nginx = report.find_spans("nginx", "SERVER")[-1]
    assert nginx["trace_id"] == client["trace_id"]
    assert nginx["parent_span_id"] == client["span_id"]


def test_gnutls_client(start, tmp_path, certificate):
    with tls.nginx(tmp_path, certificate) as server:
        agent = start(server)
        tls.run("wget", "-q", "--no-check-certificate", "-O", "/dev/null",
                *[f"{server.url}/ok"] * 10, f"{server.url}/files/big")
        report = agent.wait_for_count(CLIENT, 11, "wget")
        assert report.count(CLIENT, "wget", **https(200)) == 11
        agent.wait_for_count(SERVER, 11, "nginx")


@pytest.mark.parametrize("arguments", [[], ["TLSv1.2"]])
def test_python_server_and_blocking_client(start, tmp_path, certificate, arguments):
    with tls.python_server(tmp_path, certificate, *arguments) as server:
        agent = start(server)
        tls.run(PYTHON, SERVICES / "tls_urllib_client.py", 5, f"{server.url}/ok",
                f"{server.url}/fail", f"{server.url}/big")
        report = agent.wait_for_count(SERVER, 15, "python", **{"url.scheme": "https"})
        assert report.count(SERVER, "python", **https(200)) == 10
        assert report.count(SERVER, "python", **https(500)) == 5
        report = agent.wait_for_count(CLIENT, 15, "python")
        assert report.count(CLIENT, "python", **https(200)) == 10
        assert assert_addresses(report, server, "python", "SERVER") > 0


def test_asyncio_client_with_many_connections_in_one_thread(start, tmp_path, certificate):
    with tls.nginx(tmp_path, certificate) as server:
        agent = start(server, config="exemplars:\n  budget: 5000\n  floor: 1\n")
        tls.run(PYTHON, SERVICES / "tls_asyncio_client.py", server.port, 20, 50)
        agent.wait_for_count(SERVER, 1000, "nginx")
        agent.wait_for_count(CLIENT, 1000, "python")
        report = agent.wait_for_windows(2)

        # Connection and request are in the trace id, and the connection in the parent.
        clients = report.find_spans("python", "CLIENT")
        servers = report.find_spans("nginx", "SERVER")
        assert len(clients) > 100 and len(servers) > 100
        for span in clients + servers:
            assert 1 <= int(span["trace_id"][:16], 16) <= 20, span
            assert 1 <= int(span["trace_id"][16:], 16) <= 50, span
        ports = {}
        for span in servers:
            if "network.peer.port" in span["attributes"]:
                ports.setdefault(span["trace_id"][:16], set()).add(
                    span["attributes"]["network.peer.port"])
        assert ports and all(len(seen) == 1 for seen in ports.values()), ports
        assert_addresses(report, server, "python", "CLIENT")


def test_node_as_server_and_as_client(start, tmp_path, certificate):
    with tls.node_server(tmp_path, certificate) as server:
        agent = start(server)
        curl("--insecure", *[f"{server.url}/ok"] * 10, f"{server.url}/fail", f"{server.url}/big")
        report = agent.wait_for_count(SERVER, 12, "node")
        assert report.count(SERVER, "node", **https(200)) == 11
        assert report.count(SERVER, "node", **https(500)) == 1
        tls.run("node", SERVICES / "tls_client.js", f"{server.url}/ok", 30, 3)
        report = agent.wait_for_count(CLIENT, 30, "node")
        agent.wait_for_count(SERVER, 42, "node")
        assert_addresses(report, server, "node", "CLIENT")


@pytest.mark.parametrize("stripped", [False, True])
def test_go_as_server_and_as_client(start, tmp_path, certificate, stripped):
    program = tls.build_go(tmp_path, stripped)
    with tls.go_server(tmp_path, certificate, program) as server:
        agent = start(server)
        curl("--insecure", *[f"{server.url}/ok"] * 10, f"{server.url}/fail", f"{server.url}/big")
        report = agent.wait_for_count(SERVER, 12, "tls_go")
        assert report.count(SERVER, "tls_go", **https(500)) == 1
        tls.run(program, "client", f"{server.url}/ok", 4, 25)
        agent.wait_for_count(SERVER, 112, "tls_go")
        report = agent.wait_for_count(CLIENT, 100, "tls_go")
        assert_addresses(report, server, "tls_go", "CLIENT")
        assert assert_addresses(report, server, "tls_go", "SERVER") > 0


def test_apache(start, tmp_path, certificate):
    with tls.apache(tmp_path, certificate) as server:
        agent = start(server)
        curl("--insecure", *[f"{server.url}/ok"] * 10, f"{server.url}/absent")
        report = agent.wait_for_count(SERVER, 11, "apache2")
        assert report.count(SERVER, "apache2", **https(404)) == 1


def test_openssl_s_client(start, tmp_path, certificate):
    """What a person types into s_client."""
    with tls.nginx(tmp_path, certificate) as server:
        agent = start(server)
        for _ in range(5):
            tls.run("sh", "-c", "printf 'GET /ok HTTP/1.1\\r\\nHost: localhost\\r\\n"
                    "Connection: close\\r\\n\\r\\n' | openssl s_client -quiet -connect "
                    f"127.0.0.1:{server.port}")
        report = agent.wait_for_count(CLIENT, 5, "openssl")
        assert report.count(CLIENT, "openssl", **https(200)) == 5


def test_a_large_body_costs_no_records(start, tmp_path, certificate):
    with tls.nginx(tmp_path, certificate) as server:
        agent = start(server)
        before = agent.scrape().sum("exemplar_agent_kernel_emitted_total", reason="tls_chunk")
        curl("--insecure", *[f"{server.url}/files/big"] * 10)
        agent.wait_for_count(CLIENT, 10, "curl")
        agent.wait_for_count(SERVER, 10, "nginx")
        after = agent.scrape().sum("exemplar_agent_kernel_emitted_total", reason="tls_chunk")
        # Request and answer at both ends, the answer's head in its first chunks.
        assert after - before <= 60


def test_status_tells_the_library_of_each_process(start, tmp_path, certificate):
    with tls.node_server(tmp_path, certificate) as server:
        agent = start(server)
        # On a busy machine other files of it wait for their turn first.
        use, = eventually(lambda: uses if len(uses := tls.status(agent)[server.pid]) == 1 else None,
                          within=15, what="the end of the readings")
        assert (use["library"], use["connections"]) == ("OpenSSL", 0)
        assert "nothing has passed through it yet" in use["reason"]
        assert use["probes"] >= 5
        curl("--insecure", f"{server.url}/ok")

        def read():
            # Beside it a file that the program has just mapped may wait for its turn.
            return any((use["library"], use["reason"], use["connections"]) ==
                       ("OpenSSL", "TLS is read by probes", 1)
                       for use in tls.status(agent)[server.pid])
        eventually(read, within=30, what="that it is read")
        printed = run_cli("status", "--lock-file", agent.lock_path)
        assert printed.returncode == 0, printed.stderr
        assert str(server.pid) in printed.stdout and "OpenSSL" in printed.stdout


def test_check_tells_how_tls_is_read_and_where():
    told = run_cli("check")
    assert told.returncode == 0, told.stderr
    assert "TLS is read through uprobe_multi links" in told.stdout
    row, = [line for line in told.stdout.splitlines() if "libssl.so.3" in line]
    assert re.search(r"OpenSSL, [1-9]\d* probes", row), row


def test_probes_leave_the_text_of_a_killed_agents_targets_as_it_was(start, tmp_path, certificate):
    """SIGKILL of the prober: no breakpoint is left in the library, and the target serves on."""
    with tls.python_server(tmp_path, certificate) as server:
        def library_text():
            """(the code of libssl in the server's memory, the same on disk)"""
            rows = [line.split() for line in
                    pathlib.Path(f"/proc/{server.pid}/maps").read_text().splitlines()]
            row, = [row for row in rows if "libssl.so" in row[-1] and row[1] == "r-xp"]
            begin, end = (int(part, 16) for part in row[0].split("-"))
            with open(f"/proc/{server.pid}/mem", "rb") as memory, open(row[-1], "rb") as file:
                memory.seek(begin)
                file.seek(int(row[2], 16))
                return memory.read(end - begin), file.read(end - begin)

        # With the probes of another agent that may serve this host: they are in the same places.
        before, on_disk = library_text()
        agent = start(server)
        curl("--insecure", f"{server.url}/ok")
        agent.wait_for_count(SERVER, 1, "python")
        probed, _ = library_text()
        assert len(probed) == len(on_disk) and probed != on_disk
        links = bpf_objects.held_by([agent.pid])["link"]
        agent.process.child.kill()
        agent.process.wait()
        eventually(lambda: library_text() == (before, on_disk), within=2,
                   what="the end of the probes")
        eventually(lambda: not links & bpf_objects.existing("link"), within=2, what="no link")
        curl("--insecure", f"{server.url}/ok")
