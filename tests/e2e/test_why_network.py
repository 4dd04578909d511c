"""What an exemplar says of the network between the ends: requests that were lost, readers that are slow."""
import http.client
import socket
import threading

import pytest

from support import provoked
from support.network import Network
from support.servers import Service
from support.waiting import eventually

WHY = "exemplar.why"


class Asked:
    """A service in a network of its own."""

    def __init__(self, network, service, agent):
        self.network, self.service, self.agent = network, service, agent

    def span(self, kind, path):
        span, = eventually(lambda: self.agent.report().find_spans(kind=kind, **{"url.path": path}),
                           what=f"the span of {path}")
        return span["attributes"], (span["end_unix_ns"] - span["start_unix_ns"]) / 1e9


def note(cause, part, expected, attributes):
    value = attributes.get(f"{WHY}.{part}", 0)
    provoked.note(cause, part, expected, 1000 * value if isinstance(value, float) else value,
                  attributes.get(WHY, ""))


@pytest.fixture
def asked(start_agent, tmp_path):
    with Network() as network:
        with network.inside():
            service = Service(tmp_path, "causes.py")
        with service:
            yield Asked(network, service, start_agent(ports=[service.port], window="2s"))


def test_a_request_that_was_lost(asked):
    with asked.network.inside():
        connection = http.client.HTTPConnection("127.0.0.1", asked.service.port, timeout=60)
        connection.connect()

    def ask(path):
        connection.request("GET", path)
        connection.getresponse().read()

    ask("/first")
    with asked.network.lost_packets("--dport", asked.service.port):
        asking = threading.Thread(target=ask, args=("/lost",))
        asking.start()
        eventually(lambda: asked.network.sent_again(f"dport = :{asked.service.port}"),
                   what="the request, again")
    asking.join()
    connection.close()

    client, took = asked.span("CLIENT", "/lost")
    note("the request is lost", "retransmits", "1 or more", client)
    assert client[f"{WHY}.retransmits"] >= 1 and took >= 0.1
    assert "retransmitted" in client[WHY]
    server, took = asked.span("SERVER", "/lost")
    assert f"{WHY}.retransmits" not in server and took < 0.1
    assert f"{WHY}.retransmits" not in asked.span("CLIENT", "/first")[0]


def test_a_connection_that_was_asked_for_twice(asked):
    """Whoever connects waits; the request itself is fast."""
    connection = http.client.HTTPConnection("127.0.0.1", asked.service.port, timeout=60)
    with asked.network.inside():
        connecting = threading.Thread(target=connection.connect)
        with asked.network.lost_packets("--dport", asked.service.port):
            connecting.start()
            eventually(lambda: asked.network.sent_again(f"dport = :{asked.service.port}"),
                       what="its first segment, again")
    connecting.join()

    def ask(path):
        connection.request("GET", path)
        connection.getresponse().read()

    ask("/first")
    first, took = asked.span("CLIENT", "/first")
    ask("/second")  # in another window, so that it need not be better than the first to be chosen
    connection.close()
    note("the first SYN is lost", "connect", "about 1000", first)
    assert took < 0.2 and 0.9 <= first[f"{WHY}.connect"] < 5, first
    assert "before it, connecting took" in first[WHY]
    assert f"{WHY}.connect" not in asked.span("CLIENT", "/second")[0]
    assert f"{WHY}.connect" not in asked.span("SERVER", "/first")[0]


def test_an_answer_that_was_lost(asked):
    port = asked.service.port
    with asked.network.inside():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()

    def ask(path):
        connection.request("GET", path)
        connection.getresponse().read()

    again = []
    for path in ("/sleep", "/sleep/more", "/sleep/most"):
        before = asked.network.sent_again(f"sport = :{port}")
        asking = threading.Thread(target=ask, args=(f"{path}?ms=100",))
        with asked.network.lost_packets("--sport", port):
            asking.start()
            eventually(lambda: asked.network.sent_again(f"sport = :{port}") > before,
                       what="the answer, again")
        asking.join()
        server, at_server = asked.span("SERVER", path)
        _, at_client = asked.span("CLIENT", path)
        assert at_server < 0.15 and "its answer was retransmitted" in server[WHY]
        again.append((server[f"{WHY}.sent_again_after"], at_client - at_server))
        note("the answer is lost", "sent_again_after", f"up to {1000 * again[-1][1]:.0f}", server)
    connection.close()
    # Of one whose window closed before the answer had come only what was tried until then is known.
    assert all(after <= lasted for after, lasted in again), again
    assert any(after >= 0.05 and lasted - after < 0.02 for after, lasted in again), again


def test_an_answer_that_arrives_late(start_agent, tmp_path):
    with Network() as network:
        with network.inside():
            service = Service(tmp_path, "causes.py")
        with service:
            asked = Asked(network, service, start_agent(ports=[service.port], window="2s",
                                                        config="exemplars: {why_exact: true}\n"))
            with network.inside():
                connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
                connection.connect()

            def ask(path):
                connection.request("GET", path)
                connection.getresponse().read()

            ask("/sleep?ms=1")
            in_time, _ = asked.span("SERVER", "/sleep")
            assert f"{WHY}.acknowledged_after" not in in_time
            late = []
            for path in ("/sleep/more", "/sleep/again", "/sleep/most"):
                before = network.sent_again(f"sport = :{service.port}")
                asking = threading.Thread(target=ask, args=(f"{path}?ms=1",))
                with network.lost_packets("--sport", service.port):
                    asking.start()
                    eventually(lambda: network.sent_again(f"sport = :{service.port}") > before,
                               what="the answer, again")
                asking.join()
                server, at_server = asked.span("SERVER", path)
                _, at_client = asked.span("CLIENT", path)
                assert "its answer was retransmitted" in server[WHY]
                late.append((server.get(f"{WHY}.acknowledged_after", 0), at_client - at_server))
                note("the answer is lost", "acknowledged_after", f"{1000 * late[-1][1]:.0f}", server)
                assert (", and acknowledged " in server[WHY]) == (late[-1][0] > 0)
            connection.close()
    # Of one whose window closed before it was acknowledged that is not known.
    assert any(after > 0 and after == pytest.approx(lasted, abs=0.02) for after, lasted in late), late


def test_a_reader_that_is_slow(asked):
    with asked.network.inside(), socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        reader.connect(("127.0.0.1", asked.service.port))
        reader.sendall(b"GET /large?mib=8 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        eventually(lambda: asked.network.receiver_limited_ms(f"sport = :{asked.service.port}") >= 300,
                   what="a server that waits for its reader")
        while reader.recv(1 << 20):
            pass

    server, took = asked.span("SERVER", "/large")
    note("a slow reader", "receiver_limited", f"most of {1000 * took:.0f}", server)
    assert server[f"{WHY}.receiver_limited"] >= 0.5 * took
    assert "waiting for the peer to make room" in server[WHY]
