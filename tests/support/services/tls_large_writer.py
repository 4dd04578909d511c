"""tls_large_writer.py PORT TIMES: POSTs of 1 MB, head and body in one write."""
import http.client
import socket
import ssl
import sys

port, times = map(int, sys.argv[1:])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
for number in range(times):
    connection.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
                       + b"y" * 1_000_000)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    assert answer.status == 201, answer.status
    assert b"1000000" in answer.read()
connection.close()
