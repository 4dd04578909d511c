"""Connections as strangers make them: each request counts once at each end, with the answer it got, and
nothing else counts. Many shapes share one agent; the path or the status tells them apart."""
import os
import socket
import struct

import pytest

from support.report import CLIENT, SERVER
from support.waiting import free_port

EVERY_SPAN = "exemplars:\n  budget: 5000\n  floor: 1\n"
LURE = b"GET /lure HTTP/1.1\r\nHost: test\r\n\r\n"


def answer(status=200, body=b"hello", more=b""):
    return b"HTTP/1.1 %d Said\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)


class Talk:
    """Both ends of one connection. What one end says in one call, the other has read before it goes on."""

    def __init__(self, name, port, address="127.0.0.1", family=socket.AF_INET, opening=b""):
        self.name = name.encode()
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("::" if family == socket.AF_INET6 else "127.0.0.1", port))
            listener.listen()
            if opening:  # the connection is made by the call that sends
                self.client = socket.socket()
                self.client.sendto(opening, socket.MSG_FASTOPEN, (address, port))
            else:
                self.client = socket.create_connection((address, port), timeout=10)
            self.server, _ = listener.accept()
        for end in (self.client, self.server):
            end.settimeout(10)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def hear(self, end, length):
        while length > 0:
            part = end.recv(65536)
            assert part, f"{self.name}: {length} bytes are missing"
            length -= len(part)
        assert length == 0, self.name

    def say(self, end, text):
        for begin in range(0, len(text), 16384):  # what a socket takes without a reader
            part = text[begin:begin + 16384]
            end.sendall(part)
            self.hear(self.server if end is self.client else self.client, len(part))

    def request(self, method=b"GET", more=b"", body=b""):
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        return b"%s /%s HTTP/1.1\r\nHost: test\r\n%s%s\r\n%s" % (method, self.name, more, length, body)

    def ask(self, *arguments, **settings):
        self.say(self.client, self.request(*arguments, **settings))

    def reply(self, *arguments, **settings):
        self.say(self.server, answer(*arguments, **settings))

    def close(self):
        for end in (self.client, self.server):
            end.close()


EXPECT = b"Expect: 100-continue\r\nContent-Length: 5\r\n"


def continue_and_answer_in_one_write(talk):
    talk.say(talk.client, talk.request(b"PUT", EXPECT) + b"hello")
    talk.say(talk.server, b"HTTP/1.1 100 Continue\r\n\r\n" + answer(201))
    talk.ask()
    talk.reply(202)


def answer_before_the_body(talk):
    talk.say(talk.client, talk.request(b"POST", b"Content-Length: 100000\r\n") + b"x" * 1000)
    talk.reply(413)
    talk.say(talk.client, b"y" * 99_000)
    talk.ask()
    talk.reply(202)


def hints_before_the_answer(talk):
    talk.ask()
    talk.say(talk.server, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    talk.reply(200)


def answers_without_a_body(talk):
    for method, head in ((b"GET", b"204 None\r\n"), (b"GET", b"304 Same\r\nContent-Length: 1000\r\n"),
                         (b"HEAD", b"200 OK\r\nContent-Length: 1000\r\n"),
                         (b"HEAD", b"200 OK\r\nTransfer-Encoding: chunked\r\n"),
                         (b"GET", b"205 Reset\r\nContent-Length: 0\r\n")):
        talk.ask(method)
        talk.say(talk.server, b"HTTP/1.1 " + head + b"\r\n")


def upgrade_that_is_not_taken(talk):
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n"
    talk.ask(more=offer)
    talk.reply()
    talk.ask(more=offer)
    talk.reply(426)
    talk.ask()
    talk.reply()


def answers_that_nobody_asked_for(talk):
    talk.ask()
    talk.reply()
    talk.reply(408)


def answer_to_silence(talk):
    talk.reply(408)


def long_request_heads(talk):
    for _ in range(3):
        talk.ask(b"POST", b"Cookie: " + b"c" * 6000 + b"\r\n", LURE * 50)
        talk.reply(201)


def long_answer_heads(talk):
    for _ in range(3):
        talk.ask()
        talk.reply(more=b"Policy: " + b"p" * 6000 + b"\r\n")


def long_answer_heads_in_two_writes(talk):
    for _ in range(2):
        text = answer(more=b"Policy: " + b"p" * 6000 + b"\r\n")
        talk.ask()
        talk.say(talk.server, text[:3000])
        talk.say(talk.server, text[3000:])


def requests_read_with_the_end(talk):
    talk.ask()
    talk.reply()
    talk.client.sendall(talk.request())
    talk.client.shutdown(socket.SHUT_WR)
    talk.hear(talk.server, len(talk.request()))
    talk.reply()


def body_read_with_the_end(talk):
    talk.say(talk.client, talk.request(b"POST", b"Content-Length: 5\r\n"))
    talk.client.sendall(b"hello")
    talk.client.shutdown(socket.SHUT_WR)
    talk.hear(talk.server, 5)
    talk.reply()


def answer_read_with_the_end(talk):
    for _ in range(2):
        talk.ask()
        talk.reply()
    talk.ask()
    talk.server.sendall(answer())
    talk.server.close()
    talk.hear(talk.client, len(answer()))


def server_that_closes(talk):
    talk.ask()
    talk.server.close()
    assert talk.client.recv(1) == b""


def client_that_resets(talk):
    talk.ask()
    talk.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.client.close()
    with pytest.raises(ConnectionError):
        talk.server.recv(1)


def reader_that_leaves_a_stream(talk):
    talk.ask()
    talk.say(talk.server, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(3):
        talk.say(talk.server, b"8\r\nevent 1\n\r\n")
    talk.client.close()
    with pytest.raises(ConnectionError):
        while True:
            talk.server.sendall(b"8\r\nevent 2\n\r\n")


def other_protocol(asked, answered):
    def speak(talk):
        talk.say(talk.client, asked)
        talk.say(talk.server, answered)
    return speak


def one_answer(line):
    def speak(talk):
        talk.ask()
        talk.say(talk.server, line + b"\r\nContent-Length: 0\r\n\r\n")
    return speak


BODY = 60_000


def transfer(write=None, read=None, read_request=None, opening=False):
    """Three answers on one connection, moved by other calls than send and recv. What writes, reads and
    reads the request takes (the socket, its peer, the bytes or their number)."""
    def speak(talk):
        for number in range(3):
            text = talk.request()
            if not (opening and number == 0):
                talk.client.sendall(text)
            if read_request:
                assert read_request(talk.server) == text
            else:
                talk.hear(talk.server, len(text))
            whole = answer(body=b"x" * BODY)
            left = (write or send_whole)(talk, whole)
            if read:
                read(talk.client, left)
            else:
                talk.hear(talk.client, left)
    return speak


def send_whole(talk, text):
    talk.server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    talk.server.sendall(text)
    return len(text)


def send_in_what_fits(talk, text):
    """The client reads only where nothing more fits."""
    talk.server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    in_flight = 0
    while text:
        try:
            sent = talk.server.send(text, socket.MSG_DONTWAIT)
            text, in_flight = text[sent:], in_flight + sent
        except BlockingIOError:
            in_flight -= len(talk.client.recv(65536))
    return in_flight


def send_in_parts(talk, text):
    """writev: the head a byte each."""
    head = text[:-BODY]
    assert os.writev(talk.server.fileno(), [bytes([byte]) for byte in head] + [text[-BODY:]]) == len(text)
    return len(text)


def send_without_a_copy(talk, text):
    zerocopy, flag = 60, 0x4000000  # SO_ZEROCOPY, MSG_ZEROCOPY: not in Python's module
    talk.server.setsockopt(socket.SOL_SOCKET, zerocopy, 1)
    head = len(text) - BODY
    talk.server.sendall(text[:head])
    for begin in range(head, len(text), 16384):
        assert talk.server.send(text[begin:begin + 16384], flag) > 0
    return len(text)


def read_until_all_is_there(client, length):
    assert len(client.recv(length, socket.MSG_WAITALL)) == length


def read_into_a_pipe(client, length):
    """The head is read; what follows is spliced."""
    length -= len(client.recv(1000))
    client.setblocking(True)
    read_end, write_end = os.pipe()
    while length:
        moved = os.splice(client.fileno(), write_end, min(length, 30_000))
        assert moved > 0
        os.read(read_end, moved)
        length -= moved
    os.close(read_end)
    os.close(write_end)


def read_in_parts(server):
    """readv: a byte each, then the rest."""
    parts = [bytearray(1) for _ in range(20)] + [bytearray(4096)]
    length = os.readv(server.fileno(), parts)
    return b"".join(parts)[:length]


ABORTED = (None, "aborted", "aborted")
OPENING = transfer(opening=True)
# Each exchange, in order: the status, or (status, error of the server's end, error of the client's end).
SHAPES = [
    (continue_and_answer_in_one_write, [201, 202]), (answer_before_the_body, [413, 202]),
    (hints_before_the_answer, [200]), (answers_without_a_body, [204, 304, 200, 200, 205]),
    (upgrade_that_is_not_taken, [200, 426, 200]), (answers_that_nobody_asked_for, [200]),
    (answer_to_silence, []), (long_request_heads, [201] * 3), (long_answer_heads, [200] * 3),
    (long_answer_heads_in_two_writes, [200] * 2), (requests_read_with_the_end, [200] * 2),
    (body_read_with_the_end, [200]), (answer_read_with_the_end, [200] * 3),
    (server_that_closes, [ABORTED]), (client_that_resets, [(None, "connection_reset", "aborted")]),
    (reader_that_leaves_a_stream, [(200, "aborted", "aborted")]),
    # The next connection has the descriptors of one whose request had no answer.
    (server_that_closes, [ABORTED]), (upgrade_that_is_not_taken, [200, 426, 200]),
    (other_protocol(b"get key1\r\n", b"VALUE key1 0 5\r\nhello\r\nEND\r\n"), []),
    (other_protocol(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), []),
    (other_protocol(b"OPTIONS rtsp://h/s RTSP/1.0\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), []),
    (other_protocol(b"GET /old\r\n", b"<html>0.9</html>"), []),
    (other_protocol(b"GET / HTTP/1.1\r\n\r\n", b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n"), []),
    (other_protocol(b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"220 ready\r\n"), []),
    *[(one_answer(b"HTTP/1.1 %d X" % status), [status]) for status in (404, 500, 600, 999)],
    *[(one_answer(line), []) for line in (b"HTTP/1.1 000 X", b"HTTP/1.1 99 X", b"HTTP/1.1  200 OK",
                                          b"HTTP/2.0 200 OK", b"HTTP/1.1 2000 OK")],
    (transfer(read=read_into_a_pipe), [200] * 3), (transfer(send_without_a_copy), [200] * 3),
    (OPENING, [200] * 3), (transfer(read=read_until_all_is_there), [200] * 3),
    (transfer(send_in_what_fits), [200] * 3), (transfer(send_in_parts), [200] * 3),
    (transfer(read_request=read_in_parts), [200] * 3),
]


def ends_of(exchange):
    """(status, error.type) as the server's end and the client's end have it."""
    status, *errors = exchange if isinstance(exchange, tuple) else (
        exchange, str(exchange) if exchange >= 500 else None, str(exchange) if exchange >= 400 else None)
    return [(status, error) for error in errors]


def test_shapes_of_one_connection(start_agent):
    port = free_port()
    agent = start_agent(ports=[port], config=EVERY_SPAN)
    expected = {}
    for number, (speak, exchanges) in enumerate(SHAPES):
        name = f"{number}-{speak.__qualname__.split('.')[0]}"
        request = b"GET /%s HTTP/1.1\r\nHost: test\r\n\r\n" % name.encode()
        talk = Talk(name, port, opening=request if speak is OPENING else b"")
        speak(talk)
        talk.close()
        expected[f"/{name}"] = [ends_of(exchange) for exchange in exchanges]
    for address in ("127.0.0.1", "::1"):
        talk = Talk(f"from-{address}", port, address, socket.AF_INET6)
        talk.ask()
        talk.reply()
        talk.close()
        expected[f"/from-{address}"] = [ends_of(200)]

    for metric in (SERVER, CLIENT):
        agent.wait_for_count(metric, sum(map(len, expected.values())))
    report = agent.wait_for_windows(2)
    wrong = []
    for path, exchanges in expected.items():
        for end, kind in enumerate(("SERVER", "CLIENT")):
            spans = sorted(report.find_spans(kind=kind, **{"url.path": path}),
                           key=lambda span: span["start_unix_ns"])
            seen = [(span["attributes"].get("http.response.status_code"),
                     span["attributes"].get("error.type")) for span in spans]
            if seen != [ends[end] for ends in exchanges]:
                wrong.append(f"{kind} {path}: {seen}, not {[ends[end] for ends in exchanges]}")
    assert not wrong, "\n".join(wrong)
    assert report.dangling() == []
    for address in ("127.0.0.1", "::1"):
        span, = report.find_spans(kind="SERVER", **{"url.path": f"/from-{address}"})
        assert span["attributes"]["client.address"] == address
