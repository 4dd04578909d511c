"""How answers end: each exchange is whole or not at each end, as the programs themselves say."""
import json
import subprocess

import pytest

from support import tls
from support.load import curl
from support.raw_client import RawClient
from support.report import CLIENT, SERVER
from support.servers import SERVICES, Nginx, PythonFileServer, Service
from support.waiting import eventually, free_port

FRAMINGS = ("length", "chunked", "close", "none")
ENDS = ("server_closes", "client_closes", "fin_with_data", "half_close", "shutdown", "reset", "cut",
        "cut_reset")
# Nothing of an answer until close says that it was cut, and nobody ends it but its server; an answer
# without a body cannot be cut.
IMPOSSIBLE = {("close", "client_closes"), ("close", "reset"), ("close", "cut"), ("close", "cut_reset"),
              ("none", "cut"), ("none", "cut_reset")}
# The TLS of python and node has no half of a connection that the other end would notice.
HALVES = ("half_close", "shutdown")
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Who speaks: ends.py over OpenSSL, and the same for node and Go."""
    go = tls.build_go(tmp_path_factory.mktemp("go"), stripped=True)
    return {"python": [PYTHON, SERVICES / "ends.py"], "node": ["node", SERVICES / "ends.js"],
            "go": [go, "ends"]}


def rows_of(parts, without=()):
    """A status of its own tells each row from the others in the histograms."""
    combinations = [(framing, end) for framing in FRAMINGS for end in ENDS
                    if (framing, end) not in IMPOSSIBLE and end not in without]
    return [[210 + number, framing, end, parts]
            for number, (framing, end) in enumerate(combinations)]


@pytest.mark.parametrize("parts", [0, 5], ids=["captured", "not-captured"])
@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("speaker", ["python", "node", "go"])
def test_each_way_to_end_an_answer(start_agent, tmp_path, programs, speaker, over_tls, parts):
    rows = rows_of(parts, HALVES if over_tls and speaker != "go" else ())
    port = free_port()
    agent = start_agent(ports=[port])
    files = []
    if over_tls:
        certificate = tls.Certificate(tmp_path)
        files = [certificate.certificate, certificate.key]

    with subprocess.Popen([*programs[speaker], str(port), json.dumps(rows), *files], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        if over_tls:
            tls.wait_for_probes(agent, program if speaker != "python" else None)
        told, _ = program.communicate(timeout=60)  # it begins once its input ends
    assert program.returncode == 0
    whole = {int(status): ends for status, ends in json.loads(told).items()}

    agent.wait_for_count(SERVER, len(rows))
    report = agent.wait_for_count(CLIENT, len(rows))
    wrong = []
    for status, framing, end, _ in rows:
        for metric, is_whole in zip((SERVER, CLIENT), whole[status]):
            series = report.series(metric, **{"http.response.status_code": status})
            errors = [line["attributes"].get("error.type") for line in series]
            seen = [error is None for error in errors]
            if seen != [is_whole]:
                wrong.append(f"{metric} {framing} {end}: whole is {is_whole}, seen {errors}")
    assert not wrong, "\n".join(wrong)
    assert agent.scrape().sum("exemplar_agent_exchanges_unknown_end_total") == 0


def test_files_from_a_server_that_closes_after_each(start_agent, tmp_path):
    """Its FIN comes with the last bytes, and is read with them."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "page").write_bytes(b"x" * 300_000)
    get = "import sys, urllib.request as r\nfor u in sys.argv[1:]: r.urlopen(u).read()"
    with PythonFileServer(tmp_path / "served") as server:
        url = f"{server.url}/page"
        agent = start_agent(ports=[server.port])
        for _ in range(20):
            curl(url)
        subprocess.run(["wget", "-q", "-O", "/dev/null", *[url] * 20], check=True, timeout=60)
        subprocess.run([PYTHON, "-c", get, *[url] * 20], check=True, timeout=60)
        # wget asks again where it could not read an answer.
        made = (tmp_path / "http.server.log").read_text().count('"GET /page ')
        agent.wait_for_count(SERVER, made, "python")
        for program, asked in (("curl", 20), ("wget", made - 40), ("python", 20)):
            report = agent.wait_for_count(CLIENT, asked, program)
    lines = report.series(SERVER) + report.series(CLIENT)
    assert made == 60 and all("error.type" not in line["attributes"] for line in lines), lines


def test_nginx_as_it_passes_requests_on_by_default(start_agent, tmp_path):
    """HTTP/1.0, one connection a request."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "page").write_bytes(b"x" * 300_000)
    with PythonFileServer(tmp_path / "served") as backend, \
            Nginx(tmp_path / "nginx", upstream=backend.port) as server:
        agent = start_agent(ports=[server.port, backend.port])
        curl(*[f"{server.url}/default/page"] * 30, *[f"{server.url}/default/absent"] * 10)
        for metric, program in ((SERVER, "nginx"), (CLIENT, "nginx"), (SERVER, "python"),
                                (CLIENT, "curl")):
            report = agent.wait_for_count(metric, 40, program)
            assert report.count(metric, program, **{"http.response.status_code": 404}) == 10
            errors = {line["attributes"].get("error.type") for line in report.series(metric, program)}
            assert errors <= {None, "404"}


GIVE_UP = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
begin = time.monotonic()
client.sendall(b"GET /hung HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n"); server.recv(1000)
client.settimeout(0.3)
try: client.recv(1); sys.exit("nobody answers")
except TimeoutError: client.close()
print(time.monotonic() - begin, flush=True)
sys.stdin.read()  # the peer never closes: the socket waits in FIN_WAIT2
"""


def test_a_client_that_gives_up_ends_then(start_agent):
    port = free_port()
    agent = start_agent(ports=[port])
    with subprocess.Popen([PYTHON, "-c", GIVE_UP, str(port)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        took = float(program.stdout.readline())
        report = agent.wait_for_count(CLIENT, 1, within=3)
        program.stdin.close()
    series, = report.series(CLIENT)
    assert series["attributes"]["error.type"] == "aborted"
    assert 0.3 <= series["max"] < took + 0.01  # the peer acknowledges 40 ms later


PREAMBLES = """
import socket, struct, sys, threading
V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 4242 80\\r\\n"
V2 = b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n\\x21\\x11" + struct.pack("!H4s4sHH", 12, b"abcd", b"efgh", 4242, 80)
OTHER = b"\\x01\\x02 hello\\n"
OK = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
CASES = [(V1, True), (V1, False), (V2, True), (V2, False), (OTHER, True), (V1 + V2, False)]
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
preamble_read = threading.Semaphore(0)
def serve():
    for preamble, _ in CASES:
        c, _ = listener.accept(); data = b""
        while len(data) < len(preamble): data += c.recv(len(preamble) - len(data))
        preamble_read.release()
        for _ in range(3):
            data = b""
            while b"\\r\\n\\r\\n" not in data: data += c.recv(65536)
            c.sendall(OK)
        c.recv(1); c.close()
server = threading.Thread(target=serve); server.start()
for preamble, apart in CASES:
    c = socket.create_connection(listener.getsockname()); c.setsockopt(6, 1, 1)
    for i in range(3):
        request = b"GET /%d HTTP/1.1\\r\\nHost: test\\r\\nX: %s\\r\\n\\r\\n" % (i, b"x" * 1500)
        if i == 0 and apart: c.sendall(preamble); assert preamble_read.acquire(timeout=10)
        c.sendall(preamble + request if i == 0 and not apart else request)
        if i == 0 and not apart: assert preamble_read.acquire(timeout=10)
        c.recv(65536)
    c.close()
server.join()
"""


def test_requests_behind_what_a_proxy_says_first(start_agent):
    port = free_port()
    agent = start_agent(ports=[port])
    subprocess.run([PYTHON, "-c", PREAMBLES, str(port)], check=True, timeout=30)
    for metric in (SERVER, CLIENT):
        report = agent.wait_for_count(metric, 18)
        assert report.count(metric, **{"http.response.status_code": 200}) == 18


def test_a_body_that_looks_like_a_request_behind_a_long_head(start_agent, tmp_path):
    lure = "GET /lure HTTP/1.1\r\nHost: test\r\n\r\n"
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port])
        with RawClient(service.port) as client:
            for _ in range(3):
                client.send(f"POST /post HTTP/1.1\r\nHost: test\r\nX: {'x' * 6000}\r\n"
                            f"Content-Length: {len(lure)}\r\n\r\n")
                client.send(lure).read_until(f"\r\n\r\n{len(lure)}\n")
        for metric in (SERVER, CLIENT):
            report = agent.wait_for_count(metric, 3)
            assert report.count(metric, **{"http.request.method": "POST"}) == 3


def test_methods_that_nobody_defined(start_agent, nginx):
    agent = start_agent(ports=[nginx.port], config="exemplars:\n  floor: 1\n")
    for method in ("get", "purge", "M-SEARCH", "PROPFIND"):
        curl("--request", method, f"{nginx.url}/ok", check=False)
    report = agent.wait_for_count(SERVER, 4, "nginx", **{"http.request.method": "_OTHER"})
    agent.wait_for_count(CLIENT, 4, "curl", **{"http.request.method": "_OTHER"})
    report = agent.wait_for_windows(1)
    for program, kind in (("nginx", "SERVER"), ("curl", "CLIENT")):
        assert sorted(span["attributes"]["http.request.method_original"]
                      for span in report.find_spans(program, kind)) == \
            ["M-SEARCH", "PROPFIND", "get", "purge"]


LONG_SEND = """
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
BODY = b"x" * 20_000_000
def serve():
    c, _ = listener.accept(); c.recv(65536)
    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(BODY) + BODY); c.recv(1)
    c.close()
server = threading.Thread(target=serve); server.start()
c = socket.create_connection(listener.getsockname())
c.sendall(b"GET /long HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
server.join(timeout=0.8); assert server.is_alive(), "its send blocks until somebody reads"
left = 20_000_000
while left > 0: left -= len(c.recv(1 << 20))
c.close(); server.join()
"""


def test_the_first_byte_of_a_long_send_is_when_it_left(start_agent):
    port = free_port()
    agent = start_agent(ports=[port], config="exemplars:\n  floor: 1\n")
    subprocess.run([PYTHON, "-c", LONG_SEND, str(port)], check=True, timeout=30)
    agent.wait_for_count(SERVER, 1)
    span, = agent.wait_for_windows(1).find_spans("python", "SERVER")
    assert span["attributes"]["exemplar_agent.time_to_first_byte_s"] < 0.1
    assert span["end_unix_ns"] - span["start_unix_ns"] > 0.7e9


LONG_UPLOAD = """
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # else it grows to hold a body
BODY = b"x" * 20_000_000
HEAD = b"POST /up HTTP/1.1\\r\\nHost: test\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(BODY)
sent = [threading.Event(), threading.Event()]
def serve():
    c, _ = listener.accept()
    for upload in sent:
        assert not upload.wait(0.8), "the send blocks until somebody reads"
        left = len(HEAD) + len(BODY)
        while left > 0: left -= len(c.recv(min(left, 1 << 20)))
        c.sendall(b"HTTP/1.1 201 Created\\r\\nContent-Length: 0\\r\\n\\r\\n")
    c.recv(1); c.close()
server = threading.Thread(target=serve); server.start()
c = socket.create_connection(listener.getsockname())
for upload in sent:
    c.sendall(HEAD + BODY); upload.set()
    c.recv(65536)
c.close(); server.join()
"""


def test_an_upload_takes_as_long_as_its_send_blocked(start_agent):
    port = free_port()
    agent = start_agent(ports=[port])
    subprocess.run([PYTHON, "-c", LONG_UPLOAD, str(port)], check=True, timeout=30)
    report = agent.wait_for_count(CLIENT, 2)
    series, = report.series(CLIENT)
    assert series["min"] > 0.5  # the server may wait already while the client makes its request


@pytest.mark.parametrize("rule", ["include", "exclude"])
def test_ports_hold_for_tls_whose_socket_is_not_known(start_agent, tmp_path, rule):
    """node's TLS only sees memory: which socket carries it becomes known later, or never."""
    with tls.node_server(tmp_path, tls.Certificate(tmp_path)) as server:
        # Nothing else of the host counts in either case.
        agent = start_agent(ports=[free_port()]) if rule == "include" else \
            start_agent("--exclude-port", server.port, ports=[server.port])
        tls.wait_for_probes(agent, server)
        for _ in range(3):
            curl("--insecure", f"{server.url}/ok")
        eventually(lambda: agent.scrape().sum("exemplar_agent_exchanges_filtered_total",
                                              reason="port") > 0, what="a filtered exchange")
        report = agent.wait_for_windows(2)
        assert report.count(SERVER, "node") == 0
        assert report.count(CLIENT, "curl") == 0
