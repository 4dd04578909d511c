"""Encrypted traffic in unusual shapes: bytes one at a time, large writes, resumed sessions, servers
that read and write through other functions."""
import pytest

from support import tls
from support.load import curl
from support.report import CLIENT, SERVER
from support.servers import SERVICES

PYTHON = "/usr/bin/python3"


def test_answers_read_one_byte_at_a_time(start_agent, tmp_path, certificate):
    with tls.nginx(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent)
        tls.run(PYTHON, SERVICES / "tls_byte_reader.py", server.port, 40)
        for metric, program in ((CLIENT, "python"), (SERVER, "nginx")):
            report = agent.wait_for_count(metric, 40, program)
            assert report.count(metric, program, **{"http.response.status_code": 200}) == 20
            assert report.count(metric, program, **{"http.response.status_code": 500}) == 20
        assert agent.scrape().sum("exemplar_agent_kernel_tls_dropped_total") == 0


@pytest.mark.parametrize("protocol", ["", "TLSv1.2"])
def test_requests_and_answers_of_a_megabyte_in_one_write(start_agent, tmp_path, certificate,
                                                         protocol):
    with tls.python_server(tmp_path, certificate, *protocol.split()) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        tls.run(PYTHON, SERVICES / "tls_large_writer.py", server.port, 20)
        curl("--insecure", *[f"{server.url}/big"] * 20)
        for metric in (CLIENT, SERVER):
            agent.wait_for_count(metric, 20, **{"http.request.method": "POST"})
            agent.wait_for_count(metric, 20, **{"http.request.method": "GET"})


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_resumed_sessions(start_agent, tmp_path, certificate, version):
    """Every connection is another one, whatever keys it takes up again."""
    with tls.nginx(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port], config="exemplars:\n  budget: 500\n  floor: 1\n")
        tls.wait_for_probes(agent)
        tls.run(PYTHON, SERVICES / "tls_resuming.py", server.port, 30, version)
        agent.wait_for_count(SERVER, 30, "nginx")
        agent.wait_for_count(CLIENT, 30, "python")
        report = agent.wait_for_windows(2)
        ports = [span["attributes"]["network.peer.port"]
                 for span in report.find_spans("nginx", "SERVER")
                 if "network.peer.port" in span["attributes"]]
        assert ports and len(ports) == len(set(ports))


def test_openssl_s_server(start_agent, tmp_path, certificate):
    """It reads and writes through BIO_f_ssl, which calls neither SSL_read nor SSL_write."""
    with tls.s_server(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        for _ in range(5):
            curl("--insecure", f"{server.url}/")
        for metric, program in ((SERVER, "openssl"), (CLIENT, "curl")):
            report = agent.wait_for_count(metric, 5, program, **{"url.scheme": "https"})
            assert report.count(metric, program, **{"http.response.status_code": 200}) == 5


def test_a_request_in_early_data(start_agent, tmp_path, certificate):
    """It comes before the handshake is over, through functions of its own."""
    session, asked = tmp_path / "session.pem", tmp_path / "request"
    with tls.nginx(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent)
        connect = f"openssl s_client -connect 127.0.0.1:{server.port}"
        asked.write_bytes(b"GET /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        tls.run("sh", "-c", f"{connect} -quiet -sess_out {session} <{asked}")
        asked.write_bytes(asked.read_bytes().replace(b"/ok", b"/fail"))
        told = tls.run("sh", "-c", f"{connect} -sess_in {session} -early_data {asked} -ign_eof "
                       "</dev/null")
        assert "Early data was accepted" in told
        for metric, program in ((SERVER, "nginx"), (CLIENT, "openssl")):
            report = agent.wait_for_count(metric, 2, program)
            assert report.count(metric, program, **{"http.response.status_code": 500}) == 1


def test_node_on_the_shared_library(start_agent, tmp_path, certificate):
    """Debian's node has no OpenSSL of its own: the same program, other probes."""
    node = tls.debian_node()
    if node is None:
        pytest.skip("Debian's nodejs packages are not to be had")
    with tls.node_server(tmp_path, certificate, node) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        uses = tls.status(agent)[server.pid]
        assert any("libssl.so.3" in use["path"] and use["probes"] for use in uses), uses
        curl("--insecure", *[f"{server.url}/ok"] * 10, f"{server.url}/fail", f"{server.url}/big")
        report = agent.wait_for_count(SERVER, 12, "node")
        assert report.count(SERVER, "node", **{"http.response.status_code": 500}) == 1
        tls.run(*node, SERVICES / "tls_client.js", f"{server.url}/ok", 30, 3)
        agent.wait_for_count(CLIENT, 30, "node")
        agent.wait_for_count(SERVER, 42, "node")
