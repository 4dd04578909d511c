"""HTTP/1.x as real servers and clients speak it: every request is counted once at each end, with
its own status."""
import pytest

from support.accounting import assert_identities
from support.load import curl, h2load, node_client, wrk
from support.raw_client import RawClient
from support.report import CLIENT, SERVER
from support.servers import Nginx, PythonFileServer, Service
from support.waiting import eventually

OK = {"http.request.method": "GET", "http.response.status_code": 200}


def status(code, method="GET"):
    return {"http.request.method": method, "http.response.status_code": code}


def test_nginx_and_curl_seen_from_both_ends(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])

    curl(*[f"{nginx.url}/ok"] * 20, *[f"{nginx.url}/broken"] * 3, f"{nginx.url}/absent")

    for metric, program in ((SERVER, "nginx"), (CLIENT, "curl")):
        report = agent.wait_for_count(metric, 24, program)
        assert report.count(metric, program, **OK) == 20
        assert report.count(metric, program, **status(503)) == 3
        assert report.count(metric, program, **status(404)) == 1
    server, = report.series(SERVER, "nginx", **status(503))
    client, = report.series(CLIENT, "curl", **status(404))
    assert server["attributes"] == {
        "http.request.method": "GET", "url.scheme": "http", "http.response.status_code": 503,
        "error.type": "503", "network.protocol.version": "1.1"}
    assert client["attributes"] == {
        "http.request.method": "GET", "server.address": "127.0.0.1", "server.port": nginx.port,
        "url.scheme": "http", "http.response.status_code": 404, "error.type": "404",
        "network.protocol.version": "1.1"}


def test_nginx_and_wrk_count_what_the_access_log_counts(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])

    load = wrk(f"{nginx.url}/ok", seconds=2, connections=8)
    logged = nginx.finish()

    assert load.failed == 0 and load.requests > 1000
    report = agent.wait_for_count(SERVER, len(logged), "nginx", within=15)
    # What wrk cuts off at its end may go without an answer.
    assert len(logged) - 8 <= report.count(SERVER, "nginx", **OK) <= len(logged)


@pytest.mark.parametrize("name, program", [("service.py", "python"), ("service.js", "node")])
def test_python_and_node_as_servers(start_agent, tmp_path, name, program):
    with Service(tmp_path, name) as service:
        agent = start_agent(ports=[service.port])
        curl(*[f"{service.url}/ok"] * 10, f"{service.url}/fail", f"{service.url}/chunked?parts=9",
             f"{service.url}/slow?ms=300")
        curl("--data", "x" * 100, f"{service.url}/post")
        report = agent.wait_for_count(SERVER, 14, program)

    assert report.count(SERVER, program, **OK) == 12
    assert report.count(SERVER, program, **status(500)) == 1
    assert report.count(SERVER, program, **status(201, "POST")) == 1
    series, = report.series(SERVER, program, **OK)
    assert 0.3 <= series["max"] < 0.6  # the slow one


def test_pythons_file_server_and_its_close_delimited_http10(start_agent, tmp_path):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "page.txt").write_text("hello\n" * 5000)
    with PythonFileServer(tmp_path / "served") as server:
        agent = start_agent(ports=[server.port])
        for _ in range(5):
            curl(f"{server.url}/page.txt")
        curl("--head", f"{server.url}/page.txt")
        curl(f"{server.url}/absent")
        report = agent.wait_for_count(SERVER, 7, "python")
        agent.wait_for_count(CLIENT, 7, "curl")

    assert report.count(SERVER, "python", **OK) == 5
    assert report.count(SERVER, "python", **status(200, "HEAD")) == 1
    assert report.count(SERVER, "python", **status(404)) == 1


def test_nodes_client_on_one_kept_alive_connection(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    assert node_client(f"{nginx.url}/ok", 30) == {200: 30}
    agent.wait_for_count(CLIENT, 30, "node", **OK)
    agent.wait_for_count(SERVER, 30, "nginx", **OK)


def test_pythons_client_through_a_service(start_agent, nginx, tmp_path):
    with Service(tmp_path, "service.py", arguments=[nginx.url]) as service:
        agent = start_agent(ports=[nginx.port, service.port])
        curl(*[f"{service.url}/call?path=/ok"] * 5, f"{service.url}/call?path=/broken")
        agent.wait_for_count(SERVER, 6, "python")
        agent.wait_for_count(SERVER, 6, "nginx")
        report = agent.wait_for_count(CLIENT, 6, "python")
    assert report.count(CLIENT, "python", **status(503)) == 1


def test_pipelined_requests_keep_their_order(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    paths = ["/ok", "/broken", "/empty", "/ok"]
    with RawClient(nginx.port) as client:
        for _ in range(5):
            client.send("".join(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n" for path in paths))
            client.read_until("ok\n", times=2)
    for metric, program in ((SERVER, "nginx"), (CLIENT, "python")):
        report = agent.wait_for_count(metric, 20, program)
        assert [report.count(metric, program, **status(code)) for code in (200, 503, 204)] \
            == [10, 5, 5]


def test_pipelining_load_counts_what_the_access_log_counts(start_agent, nginx):
    requests = 8_000  # all their records fit into the ring, however late its reader is
    agent = start_agent(ports=[nginx.port])
    load = h2load(f"{nginx.url}/ok", requests, clients=2, pipelined=16)
    logged = nginx.finish()
    assert load.failed == 0 and len(logged) == requests
    agent.wait_for_count(SERVER, requests, "nginx", within=15, **OK)
    # The client reads many answers at once, wherever in its buffer each of them begins.
    agent.wait_for_count(CLIENT, requests, "h2load", **OK)
    assert assert_identities(agent).sum("exemplar_agent_orphans_total", reason="gap") == 0


def test_answers_beyond_what_is_captured_are_lost_not_guessed(start_agent, nginx):
    """256 answers in one read: after the gap nobody can tell whose the next answer is."""
    requests = "".join(f"GET /ok?{number} HTTP/1.1\r\nHost: test\r\n\r\n" for number in range(256))
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        for _ in range(3):
            client.send(requests)
            client.read_until("ok\n", times=256)
    report = agent.wait_for_windows(2)
    assert 0 < report.count(CLIENT, "python") < 3 * 256
    assert assert_identities(agent).sum("exemplar_agent_orphans_total") > 0


def test_batches_of_requests_in_one_write(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    load = wrk(f"{nginx.url}/ok", seconds=1, connections=2, script="pipeline.lua")
    nginx.stop()
    assert load.failed == 0 and load.requests > 1000
    # wrk cuts off what is open at its end: a batch on each connection.
    report = eventually(lambda: agent.report() if agent.report().count(SERVER, **OK) >=
                        load.requests else None, within=15, what="every answered request")
    assert report.count(SERVER, "nginx") <= load.requests + 2 * 16


@pytest.mark.parametrize("name, program", [("service.py", "python"), ("service.js", "node")])
def test_chunked_requests_and_answers(start_agent, tmp_path, name, program):
    (tmp_path / "body").write_bytes(b"x" * 300_000)
    with Service(tmp_path, name) as service:
        agent = start_agent(ports=[service.port])
        # One connection: a wrong end of a body would lose the next request.
        curl(f"{service.url}/chunked?parts=200", f"{service.url}/chunked?parts=1",
             f"{service.url}/ok")
        curl("--header", "Transfer-Encoding: chunked", "--header", "Expect:",
             "--data-binary", f"@{tmp_path}/body", f"{service.url}/a", f"{service.url}/b")
        report = agent.wait_for_count(SERVER, 5, program)
        agent.wait_for_count(CLIENT, 5, "curl")
    assert report.count(SERVER, program, **OK) == 3
    assert report.count(SERVER, program, **status(201, "POST")) == 2


@pytest.mark.parametrize("name, program", [("service.py", "python"), ("service.js", "node")])
def test_100_continue_is_not_an_answer(start_agent, tmp_path, name, program):
    (tmp_path / "body").write_bytes(b"x" * 2_000_000)
    with Service(tmp_path, name) as service:
        agent = start_agent(ports=[service.port])
        result = curl("--header", "Expect: 100-continue", "--data-binary", f"@{tmp_path}/body",
                      f"{service.url}/a", f"{service.url}/b")
        assert [transfer["http_code"] for transfer in result.transfers] == [201, 201]
        agent.wait_for_count(SERVER, 2, program, **status(201, "POST"))
        agent.wait_for_count(CLIENT, 2, "curl", **status(201, "POST"))


def test_answers_without_a_body_on_one_connection(start_agent, nginx):
    nginx.add_file("page", 1000)
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        page = client.get("/files/page", "\0" * 1000).decode()
        modified = next(line for line in page.split("\r\n") if line.startswith("Last-Modified"))
        for _ in range(3):
            client.send("HEAD /files/page HTTP/1.1\r\nHost: test\r\n\r\n").read_until("\r\n\r\n")
            client.get("/empty", "\r\n\r\n")
            client.get("/files/page", "\r\n\r\n", f"If-Modified-Since{modified[13:]}\r\n")
        client.get("/ok", "ok\n")
    for metric, program in ((SERVER, "nginx"), (CLIENT, "python")):
        report = agent.wait_for_count(metric, 11, program)
        assert report.count(metric, program, **OK) == 2
        assert report.count(metric, program, **status(200, "HEAD")) == 3
        assert report.count(metric, program, **status(204)) == 3
        assert report.count(metric, program, **status(304)) == 3


def test_a_head_split_over_many_writes(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        for _ in range(2):
            for part in ("GE", "T /o", "k HTTP/1.", "1\r\nHo", "st: test\r", "\n\r", "\n"):
                client.send(part)
            client.read_until("ok\n")
    agent.wait_for_count(SERVER, 2, "nginx", **OK)
    agent.wait_for_count(CLIENT, 2, "python", **OK)


def test_both_ends_move_single_bytes(start_agent, nginx):
    """No chunk shows a start line, and there are more turns than an unknown protocol is granted."""
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        for _ in range(20):
            for byte in b"GET /ok HTTP/1.1\r\nHost: test\r\n\r\n":
                client.send(bytes([byte]))
            answer = b""
            while not answer.endswith(b"\r\n\r\nok\n"):
                answer += client.socket.recv(1)
    agent.wait_for_count(CLIENT, 20, "python")
    agent.wait_for_count(SERVER, 20, "nginx")
    assert agent.scrape().sum("exemplar_agent_kernel_connections_total", reason="unknown") == 0


def test_a_head_longer_than_the_capture_budget(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        for _ in range(3):
            client.get("/ok", "ok\n", f"X-Long: {'x' * 6000}\r\n")
    agent.wait_for_count(SERVER, 3, "nginx", **OK)


def test_ipv6(start_agent, tmp_path):
    with Nginx(tmp_path / "nginx6", host="::1") as server:
        agent = start_agent(ports=[server.port])
        curl(*[f"{server.url}/ok"] * 5)
        agent.wait_for_count(SERVER, 5, "nginx", **OK)
        report = agent.wait_for_count(CLIENT, 5, "curl", **OK)
    client, = report.series(CLIENT, "curl")
    assert client["attributes"]["server.address"].strip("[]") == "::1"


def test_one_connection_over_many_windows(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        for round_number in range(1, 4):
            for _ in range(10):
                client.get("/ok", "ok\n")
            agent.wait_for_count(SERVER, 10 * round_number, "nginx", **OK)
            agent.wait_for_windows(1)
    agent.wait_for_count(CLIENT, 30, "python", **OK)


def test_a_connection_older_than_the_agent(start_agent, nginx):
    with RawClient(nginx.port) as client:
        for _ in range(5):
            client.get("/ok", "ok\n")
        agent = start_agent(ports=[nginx.port])
        for _ in range(7):
            client.get("/ok", "ok\n")
        agent.wait_for_count(SERVER, 7, "nginx", **OK)
        agent.wait_for_count(CLIENT, 7, "python", **OK)
