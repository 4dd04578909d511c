"""Programs as strangers make them: processes that share or hand over a connection, answers over TLS, hosts
that are gone. Each request counts once at each end, for the program that answered or asked."""
import socket
import subprocess
import time

import pytest

from support import tls
from support.agent import run_cli
from support.load import curl, h2load
from support.network import Network
from support.report import CLIENT, SERVER
from support.servers import Nginx
from support.waiting import free_port

PYTHON = "/usr/bin/python3"
EVERY_SPAN = "exemplars:\n  budget: 5000\n  floor: 1\n"

# 201: a child answers what its parent has read; 202: a client's child asks on its connection; 203: servers
# that share a port; 204, 205: a server that becomes another program; 206, 207: a connection handed over.
PROCESSES = """
import os, select, socket, sys
def head(c):
    text = b""
    while not text.endswith(b"\\r\\n\\r\\n"): text += c.recv(1) or sys.exit("closed")
def reply(c, status): c.sendall(b"HTTP/1.1 %d OK\\r\\nContent-Length: 0\\r\\n\\r\\n" % status)
def serve(c, status, times=1):
    for _ in range(times): head(c); reply(c, status)
def ask(c):
    c.sendall(b"GET /shape HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n"); head(c)
def child(run, *arguments):
    pid = os.fork()
    if pid == 0: run(*arguments); os._exit(0)
    return pid
def wait(*pids):
    for pid in pids: assert os.waitpid(pid, 0)[1] == 0
def dial(l): return socket.create_connection(l.getsockname())
def listen(): return socket.create_server(("127.0.0.1", port), reuse_port=True)
def exec_as(name, kept):
    os.set_inheritable(kept.fileno(), True)
    os.execv(sys.executable, ["python3", f"{os.path.dirname(__file__)}/{name}.py", str(kept.fileno())])

port = int(sys.argv[1])
with listen() as l:
    def reader():
        c, _ = l.accept()
        for _ in range(3): head(c); wait(child(reply, c, 201))
    pid = child(reader); c = dial(l)
    for _ in range(3): ask(c)
    wait(pid)

    pid = child(lambda: serve(l.accept()[0], 202, 3)); c = dial(l)
    ask(c); wait(child(ask, c)); ask(c); wait(pid)

    sent, received = socket.socketpair()
    taker = child(exec_as, "receiver", received)
    def hands_over():
        c, _ = l.accept(); serve(c, 206); socket.send_fds(sent, [b"."], [c.fileno()])
    giver = child(hands_over); c = dial(l); ask(c)
    def becomes():
        serve(l.accept()[0], 204); select.select([l], [], []); exec_as("successor", l)
    pid = child(becomes); ask(dial(l))
    sys.stdin.readline()  # until these two have their names
    ask(c); last = dial(l); ask(last)
    sys.stdin.readline()  # and those that they became
    c.close(); last.close(); wait(giver, taker, pid)

listeners = [listen() for _ in range(3)]
def shares(own):
    for l in listeners:
        if l is not own: l.close()
    while True: serve(own.accept()[0], 203)
pids = [child(shares, l) for l in listeners]
for _ in range(12): ask(dial(listeners[0]))
for pid in pids: os.kill(pid, 9); os.waitpid(pid, 0)
"""
SECOND = """
import socket, sys
kept = socket.socket(fileno=int(sys.argv[1]))
c = {get}
c.recv(65536); c.sendall(b"HTTP/1.1 {status} OK\\r\\nContent-Length: 0\\r\\n\\r\\n"); c.recv(1)
"""


def test_shapes_of_processes(start_agent, tmp_path):
    for name, text in (
            ("first", PROCESSES),
            ("successor", SECOND.format(get="kept.accept()[0]", status=205)),
            ("receiver", SECOND.format(get="socket.socket(fileno=socket.recv_fds(kept, 1, 1)[1][0])",
                                       status=207))):
        (tmp_path / f"{name}.py").write_text(text)
    port = free_port()
    agent = start_agent(ports=[port], config=EVERY_SPAN)
    expected = {201: 3, 202: 3, 206: 1, 204: 1, 207: 1, 205: 1, 203: 12}
    with subprocess.Popen([PYTHON, tmp_path / "first.py", str(port)], stdin=subprocess.PIPE) as first:
        for count in (8, 10):
            agent.wait_for_count(SERVER, count)
            first.stdin.write(b"\n")
            first.stdin.flush()
        first.communicate(timeout=30)
    assert first.returncode == 0
    for metric in (SERVER, CLIENT):
        report = agent.wait_for_count(metric, sum(expected.values()))
        for status, number in expected.items():
            lines = report.series(metric, **{"http.response.status_code": status})
            assert sum(line["count"] for line in lines) == number, (metric, status)
            name = {205: "successor", 207: "receiver"}.get(status, "first") if metric == SERVER else "first"
            assert {line["service"] for line in lines} == {name}, (metric, status)
            assert all("error.type" not in line["attributes"] for line in lines)
    assert agent.wait_for_windows(2).dangling() == []
    assert agent.scrape().sum("exemplar_agent_orphans_total") == 0


# Compressed as it is sent, so in chunks.
PACKED = """
const fs = require('fs'), zlib = require('zlib'), [port, cert, key] = process.argv.slice(1);
const page = Buffer.from('ab c '.repeat(300000));
const files = {cert: fs.readFileSync(cert), key: fs.readFileSync(key)};
require('https').createServer(files, (request, response) => {
  response.setHeader('Content-Encoding', 'gzip');
  const pack = zlib.createGzip(); pack.pipe(response); pack.end(page);
}).listen(Number(port), '127.0.0.1');
"""
# Three answers on each of ten connections, then none.
UNANSWERED = """
import socket, ssl, sys, threading
sys.stdin.read()  # until the agent is there
port, certificate, key = int(sys.argv[1]), *sys.argv[2:]
listener = socket.create_server(("127.0.0.1", port))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(certificate, key)
def serve():
    for _ in range(10):
        c = context.wrap_socket(listener.accept()[0], server_side=True)
        for _ in range(3): c.recv(4096); c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        c.recv(4096); c.close()
server = threading.Thread(target=serve); server.start()
for _ in range(10):
    c = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", port)))
    for _ in range(4):
        c.sendall(b"GET /ok HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
        try: c.recv(4096)
        except OSError: pass
    c.close()
server.join()
"""


def test_shapes_over_tls(start_agent, tmp_path, certificate):
    files = [certificate.certificate, certificate.key]
    port, other = free_port(), free_port()
    command = ["node", "-e", PACKED, port, *files]
    with tls.TlsServer("node", command, tmp_path / "node.log", port) as server, \
            subprocess.Popen([PYTHON, "-c", UNANSWERED, str(other), *files], stdin=subprocess.PIPE) as python:
        agent = start_agent(ports=[port, other], config=EVERY_SPAN)
        tls.wait_for_probes(agent, server)
        python.communicate(timeout=30)
        for _ in range(5):
            curl("--insecure", f"{server.url}/")
            tls.run("wget", "-qO/dev/null", "--no-check-certificate", f"{server.url}/")
        for metric, ends in ((SERVER, {"node": 10, "python": 40}),
                             (CLIENT, {"curl": 5, "wget": 5, "python": 40})):
            for program, number in ends.items():
                report = agent.wait_for_count(metric, number, program)
                unanswered = report.count(metric, program, **{"error.type": "aborted"})
                assert unanswered == (10 if program == "python" else 0), (metric, program)
                assert report.count(metric, program, **{"http.response.status_code": 200}) == \
                    number - unanswered
        assert python.returncode == 0
        assert agent.wait_for_windows(2).dangling() == []


def test_a_client_that_leaves_an_unreachable_host_ends_then(start_agent):
    port = free_port()
    agent = start_agent(ports=[port])
    with Network() as network:
        with network.inside(), socket.create_server(("127.0.0.1", port)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
        begin = time.monotonic()
        client.sendall(b"GET /hung HTTP/1.1\r\nHost: test\r\n\r\n")
        server.recv(65536)
        with network.lost_packets("--dport", port):  # so nobody acknowledges the close
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.close()
            took = time.monotonic() - begin
            series, = agent.wait_for_count(CLIENT, 1, within=3).series(CLIENT)
        server.close()
    assert series["attributes"]["error.type"] == "aborted"
    assert 0.3 <= series["max"] < took


def test_many_connections_over_many_windows(start_agent, tmp_path):
    """No request has a context from outside, so every parent is there."""
    with Nginx(tmp_path / "nginx", workers=2) as server:
        agent = start_agent(ports=[server.port], config=EVERY_SPAN)
        assert h2load(f"{server.url}/ok", 300, rps=300).failed == 0
        for metric, program in ((SERVER, "nginx"), (CLIENT, "h2load")):
            agent.wait_for_count(metric, 300, program)
        report = agent.wait_for_windows(2)
        assert len(report.spans) == 600 and report.dangling() == []
        assert h2load(f"{server.url}/ok", 20_000, clients=200).failed == 0
        agent.wait_for_windows(1)
        assert agent.scrape().sum("exemplar_agent_kernel_dropped_total", reason="chunk_no_state") == 0


def test_what_follows_the_end_of_a_document_is_not_passed_over(tmp_path):
    path = tmp_path / "agent.yaml"
    path.write_text("window: 5s\n...\ngarbage: [\n")
    result = run_cli("run", "--config", path, "--print-config")
    assert result.returncode == 2 and f"{path}:4:1: " in result.stderr
