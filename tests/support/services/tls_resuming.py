"""tls_resuming.py PORT TIMES TLSv1_2|TLSv1_3: a connection a request; all but the first resume the
session of the one before, or the program fails."""
import socket
import ssl
import sys

port, times = map(int, sys.argv[1:3])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[3]]
session = None
for number in range(times):
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), session=session)
    assert connection.session_reused == (number > 0), number
    connection.sendall(f"GET /ok?{number} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       f"traceparent: 00-{number + 1:032x}-{number + 1:016x}-01\r\n\r\n".encode())
    while connection.recv(65536):
        pass
    session = connection.session
    connection.close()
