"""A client that writes exactly the bytes it is told."""
import socket


class RawClient:
    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)
        return self

    def read_until(self, end, times=1):
        """Reads until `end` came so many times; all that was read."""
        data = b""
        while data.count(end.encode()) < times:
            part = self.socket.recv(65536)
            assert part, f"the server closed after {data!r}"
            data += part
        return data

    def get(self, path, body_end, headers=""):
        """One GET on this connection; the answer's last bytes must be known."""
        self.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n")
        return self.read_until(body_end)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
