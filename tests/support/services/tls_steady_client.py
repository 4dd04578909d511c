"""tls_steady_client.py PORT CONNECTIONS REQUESTS VERSION: one connection after the other, each kept
for its requests, which wait a while for one another."""
import socket
import ssl
import sys
import time

port, connections, requests = map(int, sys.argv[1:4])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[4]]
for _ in range(connections):
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as connection:
        for number in range(requests):
            connection.sendall(b"GET /r%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(0.02)
