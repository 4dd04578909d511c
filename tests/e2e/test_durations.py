"""What is measured: from the read of the request to the last byte of the answer, and how it ended."""
import socket
import threading

from support.load import curl
from support.raw_client import RawClient
from support.report import CLIENT, QUEUE, SERVER
from support.servers import Service

MIB = 1 << 20


def test_sendfile_of_50_mb_lasts_until_its_last_byte(start_agent, nginx):
    nginx.add_file("large", 50 * MIB)
    agent = start_agent(ports=[nginx.port])

    # A slow reader: the server's last write waits for it, all but what socket buffers hold.
    transfer = curl("--limit-rate", "25M", f"{nginx.url}/files/large").transfers[0]

    assert transfer["size_download"] == 50 * MIB
    server, = agent.wait_for_count(SERVER, 1, "nginx").series(SERVER, "nginx")
    client, = agent.wait_for_count(CLIENT, 1, "curl").series(CLIENT, "curl")
    took = transfer["time_total"] - transfer["time_pretransfer"]
    assert abs(client["max"] - took) < 0.1 * took, (client["max"], took)
    # At most 10 MiB of 50 wait in buffers of the kernel after the last write.
    assert 0.75 * took < server["max"] <= client["max"], (server["max"], took)
    logged = nginx.finish()[0][2]
    assert abs(server["max"] - logged) < 0.1, "nginx' own request time"


def test_a_client_that_gives_up(start_agent, nginx):
    nginx.add_file("large", 50 * MIB)
    agent = start_agent(ports=[nginx.port])

    result = curl("--limit-rate", "5M", "--max-time", "0.7", f"{nginx.url}/files/large",
                  check=False)

    assert result.returncode == 28  # its own time limit
    server, = agent.wait_for_count(SERVER, 1, "nginx").series(SERVER, "nginx")
    client, = agent.wait_for_count(CLIENT, 1, "curl").series(CLIENT, "curl")
    for end in (server, client):
        assert end["attributes"]["http.response.status_code"] == 200
        assert end["attributes"]["error.type"], end["attributes"]


def test_an_answer_that_stalls_lasts_until_it_is_given_up(start_agent):
    """Not until its last byte, which came at once: what is slow would be among the fastest."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        agent = start_agent(ports=[port])

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)
                connection.recv(1)  # nothing more, until the client has gone

        server = threading.Thread(target=serve)
        server.start()
        result = curl("--max-time", "0.6", f"http://127.0.0.1:{port}/", check=False)
        server.join()
        assert result.returncode == 28
        for metric in (SERVER, CLIENT):
            end, = agent.wait_for_count(metric, 1).series(metric)
            assert end["attributes"]["error.type"], end["attributes"]
            assert 0.5 < end["max"] < 1.5, (metric, end["max"])


def test_a_server_that_sends_less_than_it_promised(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port])
        assert curl(f"{service.url}/short", check=False).returncode == 18  # partial file
        server, = agent.wait_for_count(SERVER, 1, "python").series(SERVER, "python")
        client, = agent.wait_for_count(CLIENT, 1, "curl").series(CLIENT, "curl")
    for end in (server, client):
        assert end["attributes"]["http.response.status_code"] == 200
        assert end["attributes"]["error.type"], end["attributes"]


def test_a_client_that_leaves_before_any_answer(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port])
        assert curl("--max-time", "0.2", f"{service.url}/slow?ms=800",
                    check=False).returncode == 28
        client, = agent.wait_for_count(CLIENT, 1, "curl").series(CLIENT, "curl")
    assert "http.response.status_code" not in client["attributes"]  # never invented
    assert client["attributes"]["error.type"]


def test_time_in_the_queue_of_a_busy_server(start_agent, tmp_path):
    """python's single file: while it works, a second request on another connection is read at
    once by its thread, but a second request on the same connection waits in the socket."""
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port])
        with RawClient(service.port) as client:
            slow = "GET /slow?ms=400 HTTP/1.1\r\nHost: test\r\n\r\n"
            client.send(slow).read_until("slow\n")
            client.send(slow)
            waiting = threading.Timer(0.1, client.send, ["GET /ok HTTP/1.1\r\nHost: test\r\n\r\n"])
            waiting.start()
            client.read_until("ok\n")
            waiting.join()
        report = agent.wait_for_count(SERVER, 3, "python")
        queue, = report.series(QUEUE, "python")
    assert 0.2 < queue["max"] < 0.4, queue
