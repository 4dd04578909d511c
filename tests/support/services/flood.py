"""flood.py PORT SECONDS: sends itself what looks like 4 KiB request heads, as fast as it can."""
import os
import socket
import sys
import time

PORT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
HEAD = b"GET / HTTP/1.1\r\nX: ".ljust(4092, b"a") + b"\r\n\r\n"
listener = socket.create_server(("127.0.0.1", PORT))
sender = socket.create_connection(("127.0.0.1", PORT))
receiver, _ = listener.accept()
if os.fork() == 0:
    sender.close()
    while receiver.recv(4096, socket.MSG_WAITALL):
        pass
    os._exit(0)
receiver.close()
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    for _ in range(100):
        sender.sendall(HEAD)
