"""What the agent cannot read has a row in status with its reason and how many connections it is
about, and a counter; what it can read has none."""
import concurrent.futures
import os
import shutil
import socket
import ssl
import subprocess
import sys

import pytest

from support import tls
from support.agent import ROOT, binary, run_cli
from support.load import curl
from support.process import Process
from support.report import CLIENT, SERVER
from support.servers import SERVICES, Nginx, Service
from support.waiting import accepts, eventually, free_port

READ = "TLS is read by probes"
IPPROTO_MPTCP = 262  # in the socket module since Python 3.10, where its kernel headers had it


def rows(agent, process):
    """(library, reason, connections) of each row of the process."""
    told = tls.whole_status(agent) or {"processes": []}
    return [(use["library"], use["reason"], use["connections"])
            for row in told["processes"] if row["pid"] == process.pid for use in row["tls"]]


def wait_for_row(agent, process, reason, connections):
    def told():
        seen = [(text, number) for _, text, number in rows(agent, process)]
        assert any(reason in text and number == connections for text, number in seen), seen
        return True
    eventually(told, within=20)
    printed = run_cli("status", "--lock-file", agent.lock_path)
    assert printed.returncode == 0, printed.stderr
    assert reason.split(":")[0] in printed.stdout


def connections(agent, kind):
    return agent.scrape().sum("exemplar_agent_kernel_connections_total", reason=kind)


def ciphertext(agent, reason):
    return agent.scrape().sum("exemplar_agent_kernel_filtered_total", reason=reason)


def wait_for_counter(agent, kind, number):
    def counted():
        assert connections(agent, kind) == number, (kind, connections(agent, kind))
        return True
    eventually(counted)


def test_http2_in_a_tunnel(start_agent, tmp_path):
    """Between client and proxy it is not read, behind the proxy it is."""
    with (Nginx(tmp_path / "nginx", protocol="http2") as server,
          tls.apache(tmp_path, tunnel_to=server.port) as proxy):
        agent = start_agent(ports=[server.port, proxy.port])
        for _ in range(3):
            curl("--proxytunnel", "--proxy", f"127.0.0.1:{proxy.port}", "--http2-prior-knowledge",
                 f"{server.url}/ok")
        wait_for_counter(agent, "http2", 6)
        agent.wait_for_count(SERVER, 3, "nginx", **{"network.protocol.version": "2"})
        eventually(lambda: "HTTP/2 in a tunnel" in
                   run_cli("status", "--lock-file", agent.lock_path).stdout, what="a row in status")


def test_a_library_that_is_only_linked_is_not_called_read(start_agent, tmp_path, certificate):
    with tls.python_server(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port])
        wait_for_row(agent, server, "nothing has passed through it yet", 0)
        assert not [row for row in rows(agent, server) if row[1] == READ]
        curl("--insecure", *[f"{server.url}/ok"] * 4)
        agent.wait_for_count(SERVER, 4, "python")
        wait_for_row(agent, server, READ, 1)
        wait_for_counter(agent, "tls_read", 2)
        assert connections(agent, "tls") == 2
        unread = ciphertext(agent, "tls_unread")  # handshakes, before anybody could know
        curl("--insecure", *[f"{server.url}/ok"] * 20)
        agent.wait_for_count(SERVER, 24, "python")
        eventually(lambda: ciphertext(agent, "tls") > 40, what="what the server moved")
        assert ciphertext(agent, "tls_unread") - unread < 20, "curl's handshake"


def test_tls_connections_older_than_the_agent(start_agent, tmp_path, certificate):
    """They have no handshake that is seen, and are known by their records."""
    with tls.python_server(tmp_path, certificate) as server:
        context = ssl.create_default_context(cafile=certificate.certificate)
        with socket.create_connection(("127.0.0.1", server.port)) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as older:
            def ask():
                older.sendall(b"GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = b""
                while not answer.endswith(b"ok\n"):
                    more = older.recv(4096)
                    assert more, answer
                    answer += more

            ask()
            agent = start_agent(ports=[server.port])
            tls.wait_for_probes(agent, server)
            for _ in range(5):
                ask()
            # The read in which the server waited began before the probes were there.
            eventually(lambda: agent.report().count(SERVER, "python") >= 4, what="what it served")
            wait_for_row(agent, server, READ, 1)
            wait_for_counter(agent, "tls", 2)


@pytest.mark.skipif(not shutil.which("javac"), reason="no Java compiler")
def test_java(start_agent, tmp_path, certificate):
    store = tmp_path / "store.p12"
    subprocess.run(["openssl", "pkcs12", "-export", "-in", certificate.certificate, "-inkey",
                    certificate.key, "-out", store, "-passout", "pass:secret"], check=True)
    subprocess.run(["javac", "-d", tmp_path, SERVICES / "TlsService.java"], check=True)
    port = free_port()
    with Process(["java", "-Xmx64m", "-cp", tmp_path, "TlsService", port, store],
                 log=tmp_path / "java.log") as server:
        eventually(lambda: accepts(port), within=20, what="java")
        agent = start_agent(ports=[port])
        for _ in range(3):
            curl("--insecure", f"https://127.0.0.1:{port}/ok")
        wait_for_row(agent, server, "Java", 3)
        wait_for_counter(agent, "tls", 6)
        assert ciphertext(agent, "tls_unread") > 20, "whatever the server moved"
        assert agent.report().count(SERVER) == 0


def test_rustls_in_a_shared_object(start_agent, tmp_path, certificate):
    """granian: a Python program that links OpenSSL, too, and never calls it."""
    (tmp_path / "shop.py").write_text(
        "import ssl\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Length', '3')])\n"
        "    return [b'ok\\n']\n")
    port = free_port()
    granian = ROOT / "build/venv/bin/granian"
    with Process([granian, "--interface", "wsgi", "--host", "127.0.0.1", "--port", port, "--http",
                  "1", "--ssl-keyfile", certificate.key, "--ssl-certificate",
                  certificate.certificate, "--workers", "1", "shop:app"], cwd=tmp_path,
                 log=tmp_path / "granian.log") as parent:
        eventually(lambda: accepts(port), within=20, what="granian")
        agent = start_agent(ports=[port])
        for _ in range(3):
            curl("--insecure", f"https://127.0.0.1:{port}/ok")

        def told():
            seen = [use for row in tls.whole_status(agent)["processes"] for use in row["tls"]
                    if "_granian" in use["path"]]
            # Its parent maps it, too. It is looked at again when it is two seconds old, and named
            # if the file is known by then.
            assert all("rustls" in use["reason"] for use in seen)
            assert [use["connections"] for use in seen if use["connections"]] == [3]
            return True
        eventually(told, within=20)
        assert agent.report().count(SERVER) == 0
        assert parent.running()


def test_io_uring(start_agent, tmp_path):
    port = free_port()
    with Process([binary().parent / "tests" / "bpf" / "ring_service", port],
                 log=tmp_path / "ring.log") as server:
        eventually(lambda: accepts(port) or not server.running(), what="the service")
        if not server.running():
            pytest.skip("io_uring is not to be had")
        agent = start_agent(ports=[port])
        for _ in range(3):
            curl(f"http://127.0.0.1:{port}/ok")
        agent.wait_for_count(CLIENT, 3, "curl")
        wait_for_row(agent, server, "io_uring", 3)
        wait_for_counter(agent, "io_uring", 3)
        assert agent.report().count(SERVER) == 0


def test_a_proxy_that_splices(start_agent, nginx, tmp_path):
    port = free_port()
    with Process([sys.executable, SERVICES / "splicing_proxy.py", port, nginx.port],
                 log=tmp_path / "proxy.log") as proxy:
        eventually(lambda: accepts(port), what="the proxy")
        agent = start_agent(ports=[port, nginx.port])
        for _ in range(3):
            curl(f"http://127.0.0.1:{port}/ok")
        agent.wait_for_count(SERVER, 3, "nginx")
        agent.wait_for_count(CLIENT, 3, "curl")
        wait_for_row(agent, proxy, "spliced", 6)  # to the client and to nginx


def test_http3_by_its_port(start_agent, tmp_path):
    """No one here speaks it, and no one need: what is told is told by the port."""
    agent = start_agent(ports=[443])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", 443))
        for _ in range(3):
            try:
                client.send(b"\xc0" * 1200)
            except ConnectionRefusedError:
                pass
        wait_for_counter(agent, "http3", 1)

        class Me:
            pid = os.getpid()
        wait_for_row(agent, Me, "HTTP/3", 1)


def test_mptcp(start_agent, tmp_path):
    """A server that listens so gets sockets of TCP for plain clients, and those are read."""
    port = free_port()
    server_code = f"""
import http.server, socket
class Server(http.server.ThreadingHTTPServer):
    def __init__(self, address, handler):
        super().__init__(address, handler, bind_and_activate=False)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, {IPPROTO_MPTCP})
        self.allow_reuse_address = True
        self.server_bind()
        self.server_activate()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
Server(("127.0.0.1", {port}), Handler).serve_forever()
"""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
    except OSError as error:
        pytest.skip(f"MPTCP is not to be had: {error}")
    with Process([sys.executable, "-c", server_code], log=tmp_path / "server.log") as server:
        eventually(lambda: accepts(port), what="the server")
        agent = start_agent(ports=[port])

        class Me:
            pid = os.getpid()

        def ask(protocol):
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as client:
                client.connect(("127.0.0.1", port))
                for _ in range(5):
                    client.sendall(b"GET /ok HTTP/1.1\r\nHost: shop\r\n\r\n")
                    assert b" 204 " in client.recv(4096)
        ask(socket.IPPROTO_TCP)
        agent.wait_for_count(SERVER, 5, "python")
        agent.wait_for_count(CLIENT, 5, "python")
        assert connections(agent, "mptcp") == 0
        for _ in range(3):
            ask(IPPROTO_MPTCP)
        wait_for_row(agent, server, "MPTCP", 3)
        wait_for_row(agent, Me, "MPTCP", 3)
        wait_for_counter(agent, "mptcp", 6)
        assert agent.report().count(SERVER) == agent.report().count(CLIENT) == 5


ECHO = """\
import socketserver
import sys

class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(64):
            self.request.sendall(data)

socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_many_unread_connections_cost_no_count(start_agent, tmp_path):
    """Side by side, in more processes than one."""
    port = free_port()

    def talk(_):
        with socket.create_connection(("127.0.0.1", port)) as client:
            for turn in range(40):
                client.sendall(bytes([0, 1, turn]) * 8)
                assert client.recv(64)

    with Process(["/usr/bin/python3", "-c", ECHO, port], log=tmp_path / "echo.log") as server:
        eventually(lambda: accepts(port), what="the echo")
        agent = start_agent(ports=[port])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(talk, range(40)))
        wait_for_row(agent, server, "no known protocol", 40)
        wait_for_counter(agent, "unknown", 80)


def test_ready_is_said_when_the_programs_of_the_start_have_their_probes(start_agent, tmp_path,
                                                                        certificate):
    """A program with a TLS library of its own, which takes a while to be read."""
    with tls.node_server(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port])
        curl("--insecure", *[f"{server.url}/ok"] * 3)  # at once
        agent.wait_for_count(SERVER, 3, "node")
