"""tls_same_port.py PORT CONNECTIONS: one request on each connection, all from one port of ours."""
import socket
import ssl
import sys
import time

context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
port, connections = map(int, sys.argv[1:3])
own = 0
while connections:
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            plain.bind(("127.0.0.1", own))
            plain.connect(("127.0.0.1", port))
        except OSError:  # the one before waits for its last segments
            time.sleep(0.1)
            continue
        own = plain.getsockname()[1]
        with context.wrap_socket(plain) as connection:
            connection.sendall(b"GET /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while more := connection.recv(4096):
                answer += more
            assert answer.startswith(b"HTTP/1.1 200"), answer
    connections -= 1
