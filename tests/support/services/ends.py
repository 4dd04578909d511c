#!/usr/bin/python3
"""ends.py PORT ROWS [CERTIFICATE KEY]: a server and its client, which end connections in every way.
ROWS is JSON: [[status, framing, end, parts], ...], one exchange on one connection each. An answer
has so many parts of 20,000 bytes, one write each, or, with none, five bytes in the write of the head.
Prints {status: [the server wrote the whole answer, the client read it whole]}; begins once its input
ends.

framing: length, chunked, close (until close), none (no body)
end:     server_closes, client_closes, fin_with_data (read with the last bytes), half_close (the
         client shuts down before it is answered), shutdown (the server does behind its answer),
         reset (by the client, after all was read), cut (closed in the middle), cut_reset"""
import json
import socket
import ssl
import struct
import sys
import threading
import time

PART = 20_000
AT_ONCE = struct.pack("ii", 1, 0)


def encode(framing, piece):
    return b"%x\r\n%s\r\n" % (len(piece), piece) if framing == "chunked" else piece


def answer(status, framing, parts):
    """Writes, in order: the head with a short body, or the head and then each part."""
    pieces = [b"x" * PART] * parts or [b"hello"]
    length = sum(map(len, pieces))
    head = {"length": f"Content-Length: {length}\r\n", "chunked": "Transfer-Encoding: chunked\r\n",
            "close": "", "none": "Content-Length: 0\r\n"}[framing]
    head = f"HTTP/1.1 {status} Told\r\n{head}\r\n".encode()
    if framing == "none":
        return [head]
    writes = [encode(framing, piece) for piece in pieces]
    last = [b"0\r\n\r\n"] if framing == "chunked" else []
    return [head, *writes, *last] if parts else [head + b"".join(writes + last)]


def is_whole(framing, parts, data, at_end):
    """What a client knows of an answer of which it has these bytes."""
    if framing == "close":
        return at_end
    head, _, body = data.partition(b"\r\n\r\n")
    if not head or framing == "none":
        return bool(head)
    if framing == "chunked":
        return body.endswith(b"0\r\n\r\n")
    return len(body) == (parts * PART or 5)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)


def cut_in_two(writes):
    return writes[:len(writes) // 2 + 1] if len(writes) > 1 else [writes[0][:-3]]


def serve(listener, rows, context, wrote):
    for status, framing, end, parts in rows:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096)
        if end == "half_close":
            assert connection.recv(4096) == b""
        writes = answer(status, framing, parts)
        is_cut = end.startswith("cut")
        for piece in cut_in_two(writes) if is_cut else writes:
            connection.sendall(piece)
            time.sleep(0.001)
        if end == "shutdown":
            connection.shutdown(socket.SHUT_WR)
        if end in ("client_closes", "reset", "shutdown"):
            try:
                connection.recv(1)
            except OSError:
                pass
        if end == "cut_reset":
            time.sleep(0.01)  # lets the client read what there is
            reset(connection)
        wrote[status] = not is_cut
        connection.close()


def ask(port, row, context):
    status, framing, end, parts = row
    connection = socket.create_connection(("127.0.0.1", port))
    if context:
        connection = context.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(f"GET /{end} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    if end == "half_close":
        connection.shutdown(socket.SHUT_WR)
    if end == "fin_with_data":
        time.sleep(0.03)
    data, at_end = b"", False
    try:
        while not at_end:
            if end in ("client_closes", "reset", "fin_with_data") and \
                    is_whole(framing, parts, data, at_end):
                break
            part = connection.recv(30_000)
            data += part
            at_end = not part
    except OSError:
        pass
    if end == "reset":
        reset(connection)
    connection.close()
    return is_whole(framing, parts, data, at_end)


def main():
    sys.stdin.read()
    port, rows = int(sys.argv[1]), json.loads(sys.argv[2])
    server_context = client_context = None
    if len(sys.argv) > 3:
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(*sys.argv[3:5])
        client_context = ssl._create_unverified_context()
        client_context.suppress_ragged_eofs = server_context.suppress_ragged_eofs = True
    listener = socket.create_server(("127.0.0.1", port))
    wrote, got = {}, {}
    server = threading.Thread(target=serve, args=(listener, rows, server_context, wrote))
    server.start()
    for row in rows:
        got[row[0]] = ask(port, row, client_context)
    server.join()
    print(json.dumps({status: [wrote[status], got[status]] for status in got}))


main()
