"""tls_byte_reader.py PORT TIMES: asks, and reads every answer one byte at a time."""
import socket
import ssl
import sys

port, times = map(int, sys.argv[1:])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
for number in range(times):
    kind = "fail" if number % 2 else "ok"
    connection.sendall(f"GET /{kind} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    for _ in range(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])):
        connection.recv(1)
connection.close()
